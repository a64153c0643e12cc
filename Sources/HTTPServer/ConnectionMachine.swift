package import Base
package import HTTPWire

/// What a connection is doing and what it must do next. It moves no bytes: the connection tells it what
/// happened and acts on what it answers.
package struct ConnectionMachine: Equatable, Sendable {
    package enum Phase: Equatable, Sendable {
        /// Waiting for a request since then.
        case idle(since: Instant)
        case readingHead(since: Instant)
        /// A handler has the request.
        case handling
        /// Nothing more is read as a request.
        case ending(Ending)
    }

    package enum Ending: Equatable, Sendable {
        /// Send what is unsent and close.
        case close
        /// The client may still be sending: send, then read and drop for a while, so that our answer is not
        /// lost.
        case linger
        /// The answer broke off and only a failure can say so.
        case reset
    }

    package enum Body: Equatable, Sendable {
        case none, unread
        case reading(since: Instant, received: Int)
        case complete
    }

    package enum Response: Equatable, Sendable {
        case none
        case started(ResponseFraming)
        case complete
        /// The bytes belong to another protocol now.
        case upgraded
    }

    package internal(set) var phase: Phase
    package internal(set) var body = Body.none
    package internal(set) var response = Response.none
    package internal(set) var isDraining = false
    package internal(set) var peerHasLeft = false
    private let limits: Deadlines
    var keepsAlive = true
    var isHTTP10 = false
    var isHead = false
    private var owesContinue = false

    /// Those of the limits that are the machine's.
    private struct Deadlines: Equatable, Sendable {
        var head: Duration
        var idle: Duration
        var bodyGrace: Duration
        var bodyBytesPerSecond: Int
    }

    package init(limits: HTTPServerLimits, at now: Instant) {
        self.limits = Deadlines(
            head: limits.headDeadline, idle: limits.idleDeadline, bodyGrace: limits.bodyGrace,
            bodyBytesPerSecond: max(1, limits.bodyBytesPerSecond))
        phase = .idle(since: now)
    }

    package var isIdle: Bool { if case .idle = phase { true } else { false } }

    // MARK: Requests

    /// Bytes came while a request was awaited.
    package mutating func bytesArrived(at now: Instant) {
        if case .idle = phase { phase = .readingHead(since: now) }
    }

    package mutating func headArrived(_ head: RequestHead) {
        phase = .handling
        body = head.framing == .none ? .none : .unread
        response = .none
        keepsAlive = head.keepsAlive && !isDraining
        isHTTP10 = head.version == .http10
        isHead = head.method == .head
        owesContinue = head.expectation == .continues && body == .unread
    }

    /// The head cannot be read: the answer is the last thing that this connection says.
    package mutating func headRefused() { phase = .ending(.linger) }

    package enum BodyAction: Equatable, Sendable {
        case empty, read
        /// The client waits to be asked: send `100 Continue` first.
        case sendContinueAndRead
        case alreadyTaken
    }

    /// The handler asks for the body, or for more of it.
    package mutating func bodyWanted(at now: Instant) -> BodyAction {
        switch body {
        case .none: return .empty
        case .complete: return .alreadyTaken
        case .reading: return .read
        case .unread:
            body = .reading(since: now, received: 0)
            // Once the answer has begun an interim one would stand in its middle.
            let asks = owesContinue && response == .none
            owesContinue = false
            return asks ? .sendContinueAndRead : .read
        }
    }

    package mutating func bodyArrived(_ count: Int) {
        if case .reading(let since, let received) = body {
            body = .reading(since: since, received: received + count)
        }
    }

    package mutating func bodyEnded() { body = .complete }

    // MARK: Time

    /// Until when the connection may wait for what it waits for.
    package var deadline: Instant {
        switch phase {
        case .idle(let since): since + limits.idle
        case .readingHead(let since): since + limits.head
        case .handling: bodyDeadline
        case .ending: .never
        }
    }

    private var bodyDeadline: Instant {
        guard case .reading(let since, let received) = body else { return .never }
        let earned = Duration.milliseconds(received / limits.bodyBytesPerSecond * 1000)
        return since + limits.bodyGrace + earned
    }

    package enum TimeoutAction: Equatable, Sendable {
        /// Nothing was asked: close without a word.
        case close
        /// Answer 408 and close.
        case refuse
        /// Tell the handler that the body does not come.
        case failBody
    }

    package mutating func deadlinePassed() -> TimeoutAction {
        switch phase {
        case .readingHead:
            phase = .ending(.linger)
            return .refuse
        case .handling:
            keepsAlive = false
            return .failBody
        case .idle, .ending:
            phase = .ending(.close)
            return .close
        }
    }

    // MARK: Leaving

    package enum LeaveAction: Equatable, Sendable {
        /// Cancel the handler: nobody will read its answer.
        case cancel
        /// Look at the connection: its end is to be read.
        case wake
    }

    package mutating func peerLeft() -> LeaveAction {
        peerHasLeft = true
        keepsAlive = false
        return phase == .handling ? .cancel : .wake
    }

    package enum DrainAction: Equatable, Sendable {
        /// Nothing is under way: close.
        case close
        /// Close after the exchange that is under way.
        case afterExchange
    }

    package mutating func drain() -> DrainAction {
        isDraining = true
        keepsAlive = false
        if case .idle = phase {
            phase = .ending(.close)
            return .close
        }
        return .afterExchange
    }
}
