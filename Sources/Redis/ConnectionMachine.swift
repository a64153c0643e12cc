import Base

/// The life of one connection after another, as a value: no I/O, no clock of its own.
///
///     idle → connecting → handshaking → ready
///              ↑  └────────────┴──────────┴──→ pausing ─┐
///              └────────────────────────────────────────┘         any → closed
///
/// Events carry the number of the attempt they belong to; those of an earlier one change nothing.
struct ConnectionMachine: Equatable {
    let policy: Policy
    private(set) var state = State.idle
    /// Counts connection attempts.
    private(set) var attempt: UInt64 = 0
    /// Failures since the last connection that was stable.
    private(set) var failures = 0
    /// How many times the state became ready.
    private(set) var readyCount = 0

    struct Policy: Equatable {
        var connectTimeout: Duration
        var minimumBackoff: Duration
        var maximumBackoff: Duration
        var stableAfter: Duration
    }

    enum State: Equatable {
        case idle
        case connecting(until: Instant)
        case handshaking(until: Instant)
        case ready(since: Instant)
        case pausing(until: Instant)
        case closed
    }

    enum Action: Equatable {
        case none
        /// Open a connection.
        case connect
        /// Log in.
        case handshake
        /// Let commands through.
        case open
        /// Give the connection up; the machine connects again when `deadline` has come.
        case discard
        /// Give the connection up for good.
        case shutDown
    }

    init(_ policy: Policy) { self.policy = policy }

    var isReady: Bool { if case .ready = state { true } else { false } }

    /// When `timerFired` wants to be called.
    var deadline: Instant {
        switch state {
        case .connecting(let until), .handshaking(let until), .pausing(let until): until
        case .idle, .ready, .closed: .never
        }
    }

    mutating func start(at now: Instant) -> Action {
        guard state == .idle else { return .none }
        return connect(at: now)
    }

    mutating func connected(_ attempt: UInt64) -> Action {
        guard attempt == self.attempt, case .connecting(let until) = state else { return .none }
        state = .handshaking(until: until)
        return .handshake
    }

    mutating func handshaken(_ attempt: UInt64, at now: Instant) -> Action {
        guard attempt == self.attempt, case .handshaking = state else { return .none }
        state = .ready(since: now)
        readyCount += 1
        return .open
    }

    /// The attempt or the connection failed. `random` spreads the pauses of many clients.
    mutating func failed(_ attempt: UInt64, at now: Instant, random: UInt64) -> Action {
        guard attempt == self.attempt else { return .none }
        switch state {
        case .idle, .pausing, .closed: return .none
        case .ready(let since) where now - since >= policy.stableAfter: failures = 0
        case .connecting, .handshaking, .ready: break
        }
        state = .pausing(until: now + pause(random))
        failures += 1
        return .discard
    }

    /// A deadline has come, or the timer fired early, which does nothing.
    mutating func timerFired(at now: Instant, random: UInt64) -> Action {
        guard now >= deadline else { return .none }
        switch state {
        case .connecting, .handshaking: return failed(attempt, at: now, random: random)
        case .pausing: return connect(at: now)
        case .idle, .ready, .closed: return .none
        }
    }

    mutating func close() -> Action {
        guard state != .closed else { return .none }
        state = .closed
        return .shutDown
    }

    private mutating func connect(at now: Instant) -> Action {
        attempt += 1
        state = .connecting(until: now + policy.connectTimeout)
        return .connect
    }

    /// Full jitter: anything from nothing to the bound, so that many processes do not come back at once.
    private func pause(_ random: UInt64) -> Duration {
        let minimum = UInt64(max(policy.minimumBackoff.nanoseconds, 1))
        let maximum = UInt64(max(policy.maximumBackoff.nanoseconds, 1))
        let bound = failures < 40 ? min(maximum, minimum << UInt64(min(failures, 20))) : maximum
        return .nanoseconds(Int64(random % (bound + 1)))
    }
}
