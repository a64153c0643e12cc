import Base
import Testing

@testable import Redis

struct ConnectionMachineTests {
    private static let policy = ConnectionMachine.Policy(
        connectTimeout: .milliseconds(500), minimumBackoff: .milliseconds(10),
        maximumBackoff: .milliseconds(400),
        stableAfter: .seconds(1))

    private enum Event: CaseIterable {
        case start, connected, staleConnected, handshaken, staleHandshaken, failed, staleFailed, timerEarly,
            timerDue, close
    }

    private func at(_ milliseconds: UInt64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

    /// Does what a loop would: the due timer fires at its deadline.
    private func apply(
        _ event: Event, to machine: inout ConnectionMachine, now: inout Instant, random: UInt64
    ) -> ConnectionMachine.Action {
        switch event {
        case .start: return machine.start(at: now)
        case .connected: return machine.connected(machine.attempt)
        case .staleConnected: return machine.connected(machine.attempt &- 1)
        case .handshaken: return machine.handshaken(machine.attempt, at: now)
        case .staleHandshaken: return machine.handshaken(machine.attempt &- 1, at: now)
        case .failed: return machine.failed(machine.attempt, at: now, random: random)
        case .staleFailed: return machine.failed(machine.attempt &- 1, at: now, random: random)
        case .timerEarly:
            if machine.deadline <= now { return .none }
            return machine.timerFired(at: now, random: random)
        case .timerDue:
            if machine.deadline == .never { return .none }
            now = max(now, machine.deadline)
            return machine.timerFired(at: now, random: random)
        case .close: return machine.close()
        }
    }

    /// What must hold of every step. `hasWire` is whether the shell has a connection open before it.
    private func check(
        _ event: Event, _ action: ConnectionMachine.Action, _ before: ConnectionMachine,
        _ after: ConnectionMachine,
        now: Instant
    ) -> String? {
        if action == .none, event != .timerEarly, before != after { return "changed without an action" }
        switch event {
        case .staleConnected, .staleHandshaken, .staleFailed, .timerEarly:
            if action != .none { return "an event of another attempt, or an early timer, did something" }
        default: break
        }
        if before.state == .closed, action != .none { return "closed, and acts" }
        switch action {
        case .none: break
        case .connect:
            guard case .connecting(let until) = after.state else { return "connect without connecting" }
            if after.attempt != before.attempt + 1 { return "connects without a new attempt" }
            if until - now != before.policy.connectTimeout { return "the deadline is not the policy's" }
        case .handshake: if case .handshaking = after.state {} else { return "handshake without its state" }
        case .open:
            if !after.isReady || after.readyCount != before.readyCount + 1 {
                return "opens without being ready"
            }
        case .discard:
            guard case .pausing(let until) = after.state else { return "discards without pausing" }
            if until - now > before.policy.maximumBackoff { return "pauses too long" }
            if until < now { return "pauses backwards" }
        case .shutDown: if after.state != .closed { return "shuts down without closing" }
        }
        if after.isReady != (action == .open) && !before.isReady && after.isReady {
            return "ready by surprise"
        }
        return nil
    }

    @Test func `every sequence of six events keeps the rules`() {
        func explore(_ machine: ConnectionMachine, _ now: Instant, _ depth: Int, _ path: [Event]) {
            guard depth > 0 else { return }
            for event in Event.allCases {
                var next = machine
                var time = now + .milliseconds(1)
                let action = apply(event, to: &next, now: &time, random: 12_345)
                let fault = check(event, action, machine, next, now: time)
                #expect(fault == nil, "\(path + [event])")
                if next != machine { explore(next, time, depth - 1, path + [event]) }
            }
        }
        explore(ConnectionMachine(Self.policy), at(1000), 6, [])
    }

    @Test(arguments: [UInt64(1), 2, 3, .random(in: 0 ... .max)])
    func `long random lives keep the rules`(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<50 {
            var machine = ConnectionMachine(Self.policy)
            var now = at(1000)
            for _ in 0..<500 {
                let events = Event.allCases.filter {
                    $0 != .close || Int.random(in: 0..<100, using: &generator) == 0
                }
                guard let event = events.randomElement(using: &generator) else { continue }
                now = now + .milliseconds(Int64.random(in: 0..<700, using: &generator))
                let before = machine
                let action = apply(event, to: &machine, now: &now, random: generator.next())
                let fault = check(event, action, before, machine, now: now)
                #expect(fault == nil, "\(event) seed \(seed)")
            }
        }
    }

    @Test func `a server that comes back is found within a second, however long it was away`() {
        for random in [UInt64(0), 1, .max / 2, .max] {
            var machine = ConnectionMachine(Self.policy)
            var now = at(0)
            _ = machine.start(at: now)
            for _ in 0..<100 {
                _ = machine.failed(machine.attempt, at: now, random: random)
                let pause = machine.deadline - now
                #expect(pause <= .milliseconds(400))
                now = machine.deadline
                #expect(machine.timerFired(at: now, random: random) == .connect)
            }
        }
    }

    @Test func `pauses double, and start again after a connection that was stable`() {
        var machine = ConnectionMachine(Self.policy)
        var now = at(0)
        _ = machine.start(at: now)
        var bounds: [Duration] = []
        for failures in 0..<8 {
            // The largest pause that the bound allows.
            let bound = min(400_000_000, 10_000_000 << UInt64(failures))
            _ = machine.failed(machine.attempt, at: now, random: UInt64(bound))
            bounds.append(machine.deadline - now)
            now = machine.deadline
            _ = machine.timerFired(at: now, random: 0)
        }
        #expect(bounds == [10, 20, 40, 80, 160, 320, 400, 400].map { .milliseconds($0) })

        _ = machine.connected(machine.attempt)
        _ = machine.handshaken(machine.attempt, at: now)
        // A connection that dies at once does not reset the pause, so a server that drops everybody is not hammered.
        _ = machine.failed(machine.attempt, at: now + .milliseconds(10), random: 400_000_000)
        #expect(machine.deadline - now == .milliseconds(410))
        now = machine.deadline
        _ = machine.timerFired(at: now, random: 0)
        _ = machine.connected(machine.attempt)
        _ = machine.handshaken(machine.attempt, at: now)
        _ = machine.failed(machine.attempt, at: now + .seconds(1), random: 10_000_000)
        #expect(machine.deadline - now == .milliseconds(1010))
    }

    @Test func `an attempt that hangs is given up at its deadline, in both of its halves`() {
        for isConnected in [false, true] {
            var machine = ConnectionMachine(Self.policy)
            #expect(machine.start(at: at(0)) == .connect)
            if isConnected { #expect(machine.connected(machine.attempt) == .handshake) }
            #expect(machine.timerFired(at: at(499), random: 0) == .none)
            #expect(machine.timerFired(at: at(500), random: 0) == .discard)
        }
    }
}
