import Base
import Loop

/// Keeps one connection to Redis alive: carries out what the `ConnectionMachine` says.
// Confined to its loop.
final class RedisLink: @unchecked Sendable {
    let loop: EventLoop
    let url: RedisURL
    let options: RedisOptions
    private var owner: (any RedisLinkOwner)?
    private var machine: ConnectionMachine
    private var handshake: Handshake?
    private var resolver: HostResolver?
    private(set) var wire: RedisWire?
    private var timer: TimerToken?

    private(set) var failureCount = 0
    private(set) var lastFailure: String?
    private var pastWriteCount = 0

    init(_ url: RedisURL, _ options: RedisOptions, on loop: EventLoop) {
        self.loop = loop
        self.url = url
        self.options = options
        machine = ConnectionMachine(
            .init(
                connectTimeout: options.connectTimeout, minimumBackoff: options.minimumBackoff,
                maximumBackoff: options.maximumBackoff, stableAfter: options.stableAfter))
        if case .host(let host, _) = url.target { resolver = HostResolver(host, on: loop) }
    }

    var isReady: Bool { machine.isReady }
    var isClosed: Bool { machine.state == .closed }
    var reconnectCount: Int { max(0, machine.readyCount - 1) }
    var writeCount: Int { pastWriteCount + (wire?.writeCount ?? 0) }
    /// Tells one connection from another.
    var attempt: UInt64 { machine.attempt }

    /// `owner` is kept until `close`.
    func start(_ owner: any RedisLinkOwner) {
        self.owner = owner
        perform(machine.start(at: .now()))
    }

    /// Gives the present connection up and looks for another.
    func discard(_ why: String) { fail(machine.attempt, why) }

    func close() {
        perform(machine.close())
        owner = nil
    }

    // MARK: Acting

    private func perform(_ action: ConnectionMachine.Action) {
        switch action {
        case .none: break
        case .connect: resolve()
        case .handshake: login()
        case .open:
            handshake = nil
            owner?.linkOpened()
        case .discard:
            let wasWired = dropWire()
            owner?.linkLost(lastFailure ?? "", wasWired)
        case .shutDown:
            resolver?.forget()
            dropWire()
        }
        setTimer()
    }

    @discardableResult
    private func dropWire() -> RedisWire? {
        handshake = nil
        let dropped = wire
        wire = nil
        pastWriteCount += dropped?.writeCount ?? 0
        dropped?.close()
        return dropped
    }

    private func setTimer() {
        if let timer { loop.cancel(timer) }
        timer = nil
        let deadline = machine.deadline
        guard deadline != .never else { return }
        timer = loop.schedule(at: deadline) { [self] in
            timer = nil
            if case .pausing = machine.state {} else { note("Redis did not answer the handshake in time") }
            perform(machine.timerFired(at: loop.now, random: random()))
        }
    }

    private func resolve() {
        let attempt = machine.attempt
        switch url.target {
        case .path(let path): connect(.path(path), attempt)
        case .host(_, let port):
            resolver?.resolve { [self] addresses, failure in
                guard attempt == machine.attempt, case .connecting = machine.state, wire == nil else {
                    return
                }
                guard !addresses.isEmpty else { return fail(attempt, failure) }
                // Another address at each attempt.
                connect(.address(addresses[Int(attempt % UInt64(addresses.count))], port: port), attempt)
            }
        }
    }

    private func connect(_ target: RedisWire.Target, _ attempt: UInt64) {
        do throws(RedisError) {
            wire = try RedisWire(target, owner: self, maximumReplyBytes: options.maximumReplyBytes, on: loop)
        } catch {
            fail(attempt, error.detail)
        }
    }

    private func login() {
        let handshake = Handshake(url, name: options.name)
        self.handshake = handshake
        for command in handshake.commands { wire?.append { command.encode(to: &$0) } }
    }

    private func note(_ why: String) {
        failureCount += 1
        lastFailure = why
    }

    private func fail(_ attempt: UInt64, _ why: String) {
        let action = machine.failed(attempt, at: .now(), random: random())
        guard action != .none else { return }
        note(why)
        perform(action)
    }

    private func random() -> UInt64 { .random(in: 0 ... .max) }
}

extension RedisLink: RedisWireOwner {
    func wireConnected(_ wire: RedisWire) {
        if wire === self.wire { perform(machine.connected(machine.attempt)) }
    }

    func wireReceived(_ wire: RedisWire, _ value: RedisValue) {
        guard wire === self.wire else { return }
        guard handshake != nil else {
            owner?.linkReceived(value)
            return
        }
        switch handshake?.receive(value) {
        case .done: perform(machine.handshaken(machine.attempt, at: .now()))
        case .failed(let why): fail(machine.attempt, why)
        case .going, nil: break
        }
    }

    func wireHoldsPart(_ wire: RedisWire) {
        if wire === self.wire, handshake == nil { owner?.linkReceivedPart() }
    }

    func wireFailed(_ wire: RedisWire, _ detail: String) {
        if wire === self.wire { fail(machine.attempt, detail) }
    }
}

/// Who uses a link.
protocol RedisLinkOwner: AnyObject {
    func linkOpened()
    func linkReceived(_ value: RedisValue)
    /// The beginning of a reply has come.
    func linkReceivedPart()
    /// `wire` is the closed connection, if there was one.
    func linkLost(_ why: String, _ wire: RedisWire?)
}
