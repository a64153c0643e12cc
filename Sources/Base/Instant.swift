import Glibc

/// A moment on the monotonic clock. Timeouts and deadlines are instants; they never see the wall clock step.
package struct Instant: Hashable, Comparable, Sendable {
    package var nanoseconds: UInt64

    package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    /// Later than every moment a program meets: "no deadline".
    package static let never = Instant(nanoseconds: .max)

    package static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }

    /// The instant `duration` later; `.never` where that is out of range.
    package static func + (start: Instant, duration: Duration) -> Instant {
        let step = duration.nanoseconds
        if step < 0 {
            let back = UInt64(-step)
            return Instant(nanoseconds: start.nanoseconds < back ? 0 : start.nanoseconds - back)
        }
        let (sum, overflow) = start.nanoseconds.addingReportingOverflow(UInt64(step))
        return overflow ? .never : Instant(nanoseconds: sum)
    }

    /// How much later `left` is than `right`; negative when it is earlier.
    package static func - (left: Instant, right: Instant) -> Duration {
        .nanoseconds(Int64(truncatingIfNeeded: left.nanoseconds &- right.nanoseconds))
    }

    /// The kernel's monotonic clock.
    package static func now() -> Instant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec))
    }
}

extension Duration {
    /// Whole nanoseconds, saturating: a duration of centuries is as good as one of 292 years.
    package var nanoseconds: Int64 {
        // Most are seconds at most, and to divide 128 bits takes many times as long.
        if let attoseconds = Int64(exactly: attoseconds) { return attoseconds / 1_000_000_000 }
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return seconds < 0 ? .min + 1 : .max }
        let (sum, carried) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
        return carried ? (seconds < 0 ? .min + 1 : .max) : sum
    }
}
