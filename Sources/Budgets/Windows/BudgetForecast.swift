package import Base

/// What a window comes to if it goes on as it has gone so far.
package struct BudgetForecast: Equatable, Sendable {
    /// What will have been spent at the end.
    package let nanodollars: Int64
    /// When nothing is left, to the microsecond, rounded up; nil where that is not before the end.
    package let exhaustedAt: Timestamp?

    /// Of a window that has just begun nothing is said.
    package static let leastPassed = Duration.seconds(60)

    /// nil where nothing can be said: the window has no end, is not under way, or has only begun.
    package init?(of window: BudgetWindow, at now: Timestamp) {
        guard let range = window.range, range.contains(now) else { return nil }
        let passed = now.microseconds - range.lowerBound.microseconds
        guard range.lowerBound + Self.leastPassed <= now else { return nil }
        let length = range.upperBound.microseconds - range.lowerBound.microseconds
        let spent = Int128(window.spent)
        nanodollars = Self.nanodollars(window.spent, after: passed, of: length)
        if window.spent >= window.cap {
            exhaustedAt = now
        } else if window.spent > 0 {
            let needed = (Int128(window.cap) * Int128(passed) + spent - 1) / spent
            let moment = Int128(range.lowerBound.microseconds) + needed
            exhaustedAt =
                moment < Int128(range.upperBound.microseconds) ? Timestamp(microseconds: Int64(moment)) : nil
        } else {
            exhaustedAt = nil
        }
    }

    /// What an amount comes to that was spent in a part of a time, were it to go on so; rounded half up.
    package static func nanodollars(_ spent: Int64, after passed: Int64, of length: Int64) -> Int64 {
        Int64(clamping: (Int128(spent) * Int128(length) * 2 + Int128(passed)) / (Int128(passed) * 2))
    }
}
