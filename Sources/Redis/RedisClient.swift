package import Base
package import Loop

/// A loop's connection to Redis. Commands of one tick go out in one write; replies come back in order.
///
/// Every call ends by its replies, its deadline, the loss of the connection or the cancellation of its task. A
/// connection on which a call timed out is given up, since what comes on it later belongs to nobody.
// Confined to its loop.
package final class RedisClient: @unchecked Sendable {
    package let loop: EventLoop
    let options: RedisOptions
    let link: RedisLink

    private var inFlight = CallQueue()
    private var inFlightCount = 0
    private var waiting: [PendingCall] = []
    private var timer: (token: TimerToken, at: Instant)?
    private var commandCount = 0
    private var timeoutCount = 0
    private let drained: Waiter
    /// A reply asked for another server; acted on when the replies at hand have been given out.
    private var mustReconnect = false
    private var isDraining = false
    /// The latest sending of each library: where on which connection.
    var loads: [String: Load] = [:]

    struct Load {
        var attempt: UInt64
        var position: UInt64
    }

    /// Starts to connect. Call everything of a client on its loop; `close` it in the end.
    package init(_ url: RedisURL, options: RedisOptions = RedisOptions(), on loop: EventLoop) {
        self.loop = loop
        self.options = options
        link = RedisLink(url, options, on: loop)
        drained = Waiter(loop)
        link.start(self)
    }

    package var isReady: Bool { link.isReady }

    package var health: RedisHealth {
        var health = RedisHealth()
        health.state = link.isClosed ? .closed : link.isReady ? .ready : .connecting
        health.reconnectCount = link.reconnectCount
        health.failureCount = link.failureCount
        health.lastFailure = link.lastFailure
        health.inFlightCount = inFlightCount
        health.waitingCount = waiting.count
        health.commandCount = commandCount
        health.writeCount = link.writeCount
        health.timeoutCount = timeoutCount
        return health
    }

    // MARK: Calls

    /// Sends one command; an error answer is thrown.
    package func send(
        _ command: RedisCommand, timeout: Duration? = nil, waitsForConnection: Bool = false
    ) async throws(RedisError) -> RedisValue {
        let value = try await pipeline([command], timeout: timeout, waitsForConnection: waitsForConnection)[0]
        if let error = value.error { throw RedisError(error) }
        return value
    }

    /// Sends commands one behind the other, with nothing in between. Each has its value; an error answer is one.
    ///
    /// Without a connection the call fails at once, or with `waitsForConnection` waits for one until its deadline.
    package func pipeline(
        _ commands: [RedisCommand], timeout: Duration? = nil, waitsForConnection: Bool = false
    ) async throws(RedisError) -> [RedisValue] {
        if commands.isEmpty { return [] }
        if Task.isCancelled { throw RedisError(.cancelled) }
        let caller = WaitingCaller()
        let call = try start(commands, timeout, waitsForConnection, for: caller)
        return try await caller.wait(on: loop) { self.cancel(call) }
    }

    /// The same without a task that waits: for those who ask on behalf of several. `done` is called as `RedisCaller.replied` is.
    package func pipeline(
        _ commands: [RedisCommand], timeout: Duration? = nil,
        then done: @escaping (Result<[RedisValue], RedisError>) -> Void
    ) {
        guard let first = commands.first else { return done(.success([])) }
        pipeline(first, Array(commands.dropFirst()), timeout: timeout, for: HearingCaller(done))
    }

    /// The same where one object is all that has to be remembered meanwhile.
    ///
    /// - Parameter others: come behind `command`.
    package func pipeline(
        _ command: RedisCommand, _ others: [RedisCommand], timeout: Duration? = nil,
        for caller: any RedisCaller
    ) {
        assert(loop.isCurrent, "a Redis client is used on its loop")
        do throws(RedisError) {
            let size = others.reduce(command.encodedCount) { $0 + $1.encodedCount }
            try admit(1 + others.count, size, waitsForConnection: false)
        } catch { return caller.replied(.failure(error)) }
        let call = PendingCall(
            caller, expecting: 1 + others.count, until: .now() + (timeout ?? options.timeout))
        transmit(call) { output in
            command.encode(to: &output)
            for other in others { other.encode(to: &output) }
        }
        setTimer(call.deadline)
    }

    private func start(
        _ commands: [RedisCommand], _ timeout: Duration?, _ waitsForConnection: Bool,
        for caller: any RedisCaller
    ) throws(RedisError) -> PendingCall {
        assert(loop.isCurrent, "a Redis client is used on its loop")
        let call = PendingCall(
            caller, expecting: commands.count, until: .now() + (timeout ?? options.timeout))
        try admit(
            commands.count, Self.size(of: commands), waitsForConnection: waitsForConnection)
        if link.isReady {
            transmit(call) { output in for command in commands { command.encode(to: &output) } }
        } else {
            call.commands = commands
            waiting.append(call)
        }
        setTimer(call.deadline)
        return call
    }

    private static func size(of commands: [RedisCommand]) -> Int {
        commands.reduce(0) { $0 + $1.encodedCount }
    }

    private func admit(_ count: Int, _ size: Int, waitsForConnection: Bool) throws(RedisError) {
        guard !link.isClosed, !isDraining else { throw RedisError(.closed) }
        guard let wire = link.wire, link.isReady else {
            guard waitsForConnection else { throw RedisError(.unavailable, detail: link.lastFailure ?? "") }
            guard waiting.count < options.maximumWaiting else { throw RedisError(.overloaded) }
            return
        }
        guard inFlightCount + count <= options.maximumInFlight,
            wire.unsentCount + size <= options.maximumUnsentBytes
        else { throw RedisError(.overloaded) }
    }

    private func transmit(_ call: PendingCall, _ encode: (inout [UInt8]) -> Void) {
        guard let wire = link.wire else { return }
        call.position = wire.appended
        wire.append(encode)
        inFlight.append(call)
        inFlightCount += call.expectedCount
        commandCount += call.expectedCount
    }

    private func cancel(_ call: PendingCall) {
        call.fail(RedisError(.cancelled, mayHaveExecuted: mayHaveExecuted(call, on: link.wire)))
        // One that was sent stays in line: its replies come and are dropped.
        if call.position == nil { waiting.removeAll { $0 === call } }
    }

    private func mayHaveExecuted(_ call: PendingCall, on wire: RedisWire?) -> Bool {
        guard let position = call.position, let wire else { return false }
        return wire.written > position
    }

    // MARK: Closing

    /// Stops taking calls, waits for the replies that are due until `deadline`, and closes.
    package func close(drainingUntil deadline: Instant) async {
        isDraining = true
        while inFlightCount > 0, link.isReady {
            do throws(WaitFailure) { try await drained.wait(until: deadline) } catch { break }
        }
        close()
    }

    /// Closes at once; calls that wait fail.
    package func close() {
        let wire = link.wire
        link.close()
        failAll { RedisError(.closed, mayHaveExecuted: self.mayHaveExecuted($0, on: wire)) }
        if let timer { loop.cancel(timer.token) }
        timer = nil
        drained.wake()
    }
}

// MARK: - What the link tells
extension RedisClient: RedisLinkOwner {
    func linkOpened() {
        let calls = waiting
        waiting = []
        for call in calls {
            let commands = call.commands
            call.commands = []
            do throws(RedisError) {
                try admit(commands.count, Self.size(of: commands), waitsForConnection: false)
                transmit(call) { output in for command in commands { command.encode(to: &output) } }
            } catch {
                call.fail(error)
            }
        }
    }

    func linkReceived(_ value: RedisValue) {
        guard let call = inFlight.first else { return link.discard(Self.unasked) }
        call.receive(value)
        inFlightCount -= 1
        if call.receivedCount == call.expectedCount { inFlight.removeFirst() }
        if inFlightCount == 0 { drained.wake() }
        if case .error(let error) = value, error.asksToReconnect { reconnectSoon(error) }
    }

    func linkReceivedPart() {
        if inFlight.isEmpty { link.discard(Self.unasked) }
    }

    private static let unasked = "a reply that nobody asked for"

    /// At the end of the tick, so that the replies that are here already reach their callers.
    private func reconnectSoon(_ error: RedisServerError) {
        guard !mustReconnect else { return }
        mustReconnect = true
        let attempt = link.attempt
        loop.atTickEnd { [self] in
            mustReconnect = false
            if link.attempt == attempt { link.discard("Redis answered \(error.kind.rawValue)") }
        }
    }

    func linkLost(_ why: String, _ wire: RedisWire?) {
        loads.removeAll()
        inFlightCount = 0
        for call in inFlight.removeAll() {
            call.fail(
                RedisError(.connectionLost, mayHaveExecuted: mayHaveExecuted(call, on: wire), detail: why))
        }
        drained.wake()
    }

    private func failAll(_ error: (PendingCall) -> RedisError) {
        let calls = inFlight.removeAll() + waiting
        waiting = []
        inFlightCount = 0
        for call in calls { call.fail(error(call)) }
    }
}

// MARK: - Deadlines
extension RedisClient {
    /// One timer for all calls. It is moved only when it fires, so that a call costs no heap operation.
    private func setTimer(_ deadline: Instant) {
        guard deadline != .never else { return }
        if let timer {
            if timer.at <= deadline { return }
            loop.cancel(timer.token)
        }
        timer = (loop.schedule(at: deadline) { [weak self] in self?.timerFired() }, deadline)
    }

    private func timerFired() {
        timer = nil
        let now = loop.now
        var next = Instant.never
        var isLate = false
        for call in inFlight.all {
            if call.deadline <= now { isLate = true } else { next = min(next, call.deadline) }
        }
        if isLate {
            let wire = link.wire
            for call in inFlight.all where call.deadline <= now && !call.isFinished {
                timeoutCount += 1
                call.fail(RedisError(.timedOut, mayHaveExecuted: mayHaveExecuted(call, on: wire)))
            }
            next = .never
            link.discard("a command timed out")
        }
        waiting.removeAll { call in
            guard call.deadline <= now else {
                next = min(next, call.deadline)
                return false
            }
            timeoutCount += 1
            call.fail(RedisError(.timedOut, detail: link.lastFailure ?? ""))
            return true
        }
        setTimer(next)
    }
}
