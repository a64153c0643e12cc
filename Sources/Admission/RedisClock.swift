import Base

/// What the clock of Redis says, as far as a loop knows: all processes go by it, so that none whose own clock is wrong
/// disturbs the others.
struct RedisClock {
    private var offset: Int64?

    /// In milliseconds.
    func now(_ instant: Instant, _ timestamp: @autoclosure () -> Timestamp) -> Int64 {
        guard let offset else { return timestamp().microseconds / 1000 }
        return instant.milliseconds + offset
    }

    mutating func learn(_ time: Int64, at instant: Instant) { offset = time - instant.milliseconds }
}

extension Instant {
    fileprivate var milliseconds: Int64 { Int64(nanoseconds / 1_000_000) }
}
