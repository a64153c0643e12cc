import Base

/// What may still be done now, where so many a second may be done, and as many at once.
struct TokenBucket: Sendable {
    private let perSecond: Double
    private var tokens: Double
    private var updatedAt: Instant

    init(perSecond: Int, at now: Instant) {
        self.perSecond = Double(perSecond)
        tokens = self.perSecond
        updatedAt = now
    }

    /// Takes one; where there is none, says how long until there is.
    mutating func take(at now: Instant) -> Duration? {
        refill(at: now)
        guard tokens < 1 else {
            tokens -= 1
            return nil
        }
        return .nanoseconds(Int64(((1 - tokens) / perSecond * 1e9).rounded(.up)))
    }

    /// One that was taken was not needed.
    mutating func giveBack() { tokens = min(perSecond, tokens + 1) }

    private mutating func refill(at now: Instant) {
        let elapsed = max(0, (now - updatedAt).nanoseconds)
        tokens = min(perSecond, tokens + Double(elapsed) / 1e9 * perSecond)
        updatedAt = max(updatedAt, now)
    }
}
