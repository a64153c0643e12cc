package import Base

/// Keeps requests away from an upstream that fails, and lets one through now and then to see whether it still does.
package struct CircuitBreaker: Equatable, Sendable {
    package struct Limits: Equatable, Sendable {
        /// What happened longer ago is forgotten.
        package var window = Duration.seconds(10)
        /// Fewer failures than this within the window tell nothing.
        package var leastFailures = 5
        /// Failures among all that ended within the window, in hundredths.
        package var percentage = 50
        package var shortestPause = Duration.seconds(2)
        package var longestPause = Duration.seconds(60)
        /// A probe that has not ended by then is forgotten.
        package var probePatience = Duration.seconds(60)

        package init() {}
    }

    package enum State: Equatable, Sendable {
        case closed
        case open(until: Instant)
        /// One request is on its way to see.
        case probing(since: Instant)
    }

    package enum Admission: Equatable, Sendable {
        case pass, probe
        case refuse(until: Instant)
    }

    package private(set) var state = State.closed
    private let limits: Limits
    private var pause: Duration
    private var windowStart = Instant(nanoseconds: 0)
    private var counts = (failures: 0, all: 0)
    private var earlier = (failures: 0, all: 0)

    package init(_ limits: Limits = Limits()) {
        self.limits = limits
        pause = limits.shortestPause
    }

    package mutating func admit(at now: Instant) -> Admission {
        switch state {
        case .closed: return .pass
        case .open(let until):
            guard now >= until else { return .refuse(until: until) }
        case .probing(let since):
            guard now >= since + limits.probePatience else {
                return .refuse(until: now + limits.shortestPause)
            }
        }
        state = .probing(since: now)
        return .probe
    }

    package mutating func succeeded(wasProbe: Bool, at now: Instant) {
        if wasProbe { self = CircuitBreaker(limits) }
        count(isFailure: false, at: now)
    }

    package mutating func failed(wasProbe: Bool, at now: Instant) {
        if wasProbe {
            pause = min(pause * 2, limits.longestPause)
            return open(at: now)
        }
        count(isFailure: true, at: now)
        guard case .closed = state else { return }
        let failures = counts.failures + earlier.failures
        if failures >= limits.leastFailures,
            failures * 100 >= (counts.all + earlier.all) * limits.percentage
        {
            open(at: now)
        }
    }

    /// It ended in a way that says nothing about the upstream.
    package mutating func abandoned(wasProbe: Bool, at now: Instant) {
        if wasProbe, case .probing = state { state = .open(until: now) }
    }

    private mutating func open(at now: Instant) {
        state = .open(until: now + pause)
        (counts, earlier) = ((0, 0), (0, 0))
    }

    /// The window is two halves; the older one falls away when the newer is full.
    private mutating func count(isFailure: Bool, at now: Instant) {
        let half = limits.window / 2
        if now - windowStart >= half {
            earlier = now - windowStart >= limits.window ? (0, 0) : counts
            counts = (0, 0)
            windowStart = now
        }
        counts.all += 1
        if isFailure { counts.failures += 1 }
    }

    package static func == (one: Self, other: Self) -> Bool {
        one.state == other.state && one.limits == other.limits && one.pause == other.pause
            && one.windowStart == other.windowStart && one.counts == other.counts
            && one.earlier == other.earlier
    }
}
