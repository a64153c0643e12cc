import Base
import Testing

@testable import Postgres

/// The machine under a world that opens, breaks, refuses and forgets at random.
struct PoolMachineTests {
    private struct World {
        var machine: PoolMachine
        var random: SeededGenerator
        var now = Instant(nanoseconds: 1_000_000_000)
        var opening: Set<Int> = []
        var idle: Set<Int> = []
        var checking: Set<Int> = []
        /// Which request has which connection.
        var leased: [Int: Int] = [:]
        var waiting: [Int: Instant] = [:]
        var order: [Int] = []
        var nextRequest = 0

        init(seed: UInt64) {
            random = SeededGenerator(seed: seed)
            var limits = PoolLimits()
            limits.maximum = Int.random(in: 1...5, using: &random)
            limits.minimum = Int.random(in: 0...limits.maximum, using: &random)
            limits.maximumWaiting = 6
            limits.maximumLifetime = .seconds(120)
            machine = PoolMachine(limits: limits, seed: seed, at: now)
        }

        mutating func take(_ actions: [PoolMachine.Action]) {
            for action in actions {
                switch action {
                case .open(let connection): #expect(opening.insert(connection).inserted)
                case .lease(let connection, let request):
                    #expect(!leased.values.contains(connection), "a connection is lent once")
                    if waiting[request] != nil {
                        #expect(order.first == request, "who waits longest is served first")
                        order.removeAll { $0 == request }
                    }
                    waiting[request] = nil
                    idle.remove(connection)
                    checking.remove(connection)
                    leased[request] = connection
                case .refuse(let request, _):
                    waiting[request] = nil
                    order.removeAll { $0 == request }
                case .check(let connection):
                    #expect(idle.remove(connection) != nil)
                    checking.insert(connection)
                case .close(let connection):
                    idle.remove(connection)
                    #expect(!leased.values.contains(connection), "what is lent is not closed")
                }
            }
        }

        mutating func step() {
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<30: request()
            case 30..<50: giveBack()
            case 50..<65: finishOpening()
            case 65..<70: lose()
            case 70..<75: finishCheck()
            case 75..<80: withdraw()
            default: pass()
            }
        }

        private mutating func request() {
            nextRequest += 1
            waiting[nextRequest] = now + machine.limits.waitTimeout
            order.append(nextRequest)
            // A free connection goes to the newcomer at once; nobody else can be waiting then.
            take(machine.request(nextRequest, at: now))
        }

        private mutating func giveBack() {
            guard let (request, connection) = leased.randomElement(using: &random) else { return }
            leased[request] = nil
            let isUsable = Int.random(in: 0..<5, using: &random) > 0
            if isUsable { idle.insert(connection) }
            take(machine.returned(connection, isUsable: isUsable, at: now))
        }

        private mutating func finishOpening() {
            guard let connection = opening.randomElement(using: &random) else { return }
            opening.remove(connection)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: take(machine.openingFailed(connection, .unreachable, at: now))
            case 1: take(machine.openingFailed(connection, .saturated, at: now))
            default:
                idle.insert(connection)
                take(machine.opened(connection, at: now))
            }
        }

        private mutating func lose() {
            guard let connection = (idle.union(leased.values)).randomElement(using: &random) else { return }
            idle.remove(connection)
            take(machine.lost(connection, at: now))
        }

        private mutating func finishCheck() {
            guard let connection = checking.randomElement(using: &random) else { return }
            checking.remove(connection)
            let isUsable = Bool.random(using: &random)
            if isUsable { idle.insert(connection) }
            take(machine.checked(connection, isUsable: isUsable, at: now))
        }

        private mutating func withdraw() {
            guard let request = (Array(waiting.keys) + leased.keys).randomElement(using: &random) else {
                return
            }
            waiting[request] = nil
            order.removeAll { $0 == request }
            if let connection = leased.removeValue(forKey: request) { idle.insert(connection) }
            take(machine.withdraw(request, at: now))
        }

        private mutating func pass() {
            let step = Duration.milliseconds(Int64.random(in: 1...8_000, using: &random))
            // The shell wakes in time: never later than the machine asked for.
            now = min(now + step, max(machine.nextWake, now + .milliseconds(1)))
            take(machine.tick(at: now))
            #expect(machine.nextWake > now, "nothing that is due is left undone")
        }

        func check(_ seed: UInt64) {
            let health = machine.health
            let used = idle.count + leased.count + opening.count + checking.count
            #expect(used <= machine.limits.maximum, "seed \(seed)")
            #expect(health.idle == idle.count, "seed \(seed)")
            #expect(health.leased == leased.count, "seed \(seed)")
            #expect(health.opening == opening.count, "seed \(seed)")
            #expect(health.waiting == waiting.count, "seed \(seed)")
            #expect(waiting.isEmpty || idle.isEmpty, "nobody waits while a connection is idle, seed \(seed)")
            #expect(waiting.isEmpty || health.isUp, "nobody waits for a database that is down, seed \(seed)")
            #expect(waiting.values.allSatisfy { $0 > now }, "nobody waits beyond the deadline, seed \(seed)")
            #expect(waiting.count <= machine.limits.maximumWaiting, "seed \(seed)")
            let isAsleep = opening.isEmpty && leased.isEmpty && checking.isEmpty && machine.nextWake == .never
            #expect(
                !isAsleep || (waiting.isEmpty && health.isUp), "somebody would wait for ever, seed \(seed)")
        }
    }

    @Test func `the rules hold at every step, whatever happens`() {
        for seed in UInt64(0)..<400 {
            var world = World(seed: seed)
            world.take(world.machine.start(at: world.now))
            for _ in 0..<300 {
                world.step()
                world.check(seed)
            }
        }
    }

    private let start = Instant(nanoseconds: 1_000_000_000)

    @Test func `a database that is down is tried again after at most a second, by one attempt at a time`() {
        var machine = PoolMachine(limits: PoolLimits(), seed: 1, at: start)
        #expect(machine.request(1, at: start) == [.open(0)])
        #expect(machine.request(2, at: start) == [.open(1)])
        var now = start
        #expect(
            machine.openingFailed(0, .unreachable, at: now) == [
                .refuse(1, .unavailable), .refuse(2, .unavailable),
            ])
        #expect(machine.openingFailed(1, .unreachable, at: now) == [])
        #expect(machine.request(3, at: now) == [.refuse(3, .unavailable)])
        for connection in 2..<20 {
            let due = machine.nextWake
            #expect(due - now <= .seconds(1))
            #expect(due > now)
            now = due
            #expect(machine.tick(at: now) == [.open(connection)])
            #expect(machine.request(100 + connection, at: now) == [.refuse(100 + connection, .unavailable)])
            #expect(machine.openingFailed(connection, .unreachable, at: now) == [])
        }
        now = machine.nextWake
        #expect(machine.tick(at: now) == [.open(20)])
        #expect(machine.opened(20, at: now) == [])
        #expect(machine.health.isUp)
        #expect(machine.request(4, at: now) == [.lease(20, to: 4)])
    }

    @Test func `a server that is full still serves those who wait with what is open`() {
        var machine = PoolMachine(limits: PoolLimits(), seed: 1, at: start)
        #expect(machine.request(1, at: start) == [.open(0)])
        #expect(machine.opened(0, at: start) == [.lease(0, to: 1)])
        #expect(machine.request(2, at: start) == [.open(1)])
        #expect(machine.openingFailed(1, .saturated, at: start) == [])
        #expect(machine.returned(0, isUsable: true, at: start) == [.lease(0, to: 2)])
    }

    @Test func `what is unused for long is closed, down to the minimum, and what stays is checked`() {
        var limits = PoolLimits()
        limits.minimum = 1
        var machine = PoolMachine(limits: limits, seed: 1, at: start)
        #expect(machine.start(at: start) == [.open(0)])
        #expect(machine.opened(0, at: start) == [])
        #expect(machine.request(1, at: start) == [.lease(0, to: 1)])
        #expect(machine.request(2, at: start) == [.open(1)])
        #expect(machine.opened(1, at: start) == [.lease(1, to: 2)])
        #expect(machine.returned(0, isUsable: true, at: start) == [])
        #expect(machine.returned(1, isUsable: true, at: start) == [])
        #expect(machine.tick(at: start + .seconds(30)) == [.check(0), .check(1)])
        #expect(machine.checked(0, isUsable: true, at: start + .seconds(31)) == [])
        #expect(machine.checked(1, isUsable: true, at: start + .seconds(31)) == [])
        #expect(machine.tick(at: start + .seconds(60)) == [.close(0)])
        #expect(machine.tick(at: start + .seconds(61)) == [.check(1)])
        #expect(machine.checked(1, isUsable: false, at: start + .seconds(63)) == [.open(2)])
    }

    @Test func `a closed pool lends nothing, and closes what comes back`() {
        var machine = PoolMachine(limits: PoolLimits(), seed: 1, at: start)
        #expect(machine.request(1, at: start) == [.open(0)])
        #expect(machine.opened(0, at: start) == [.lease(0, to: 1)])
        #expect(machine.request(2, at: start) == [.open(1)])
        #expect(machine.close() == [.refuse(2, .closed)])
        #expect(machine.request(3, at: start) == [.refuse(3, .closed)])
        #expect(machine.returned(0, isUsable: true, at: start) == [.close(0)])
        #expect(machine.opened(1, at: start) == [.close(1)])
    }
}
