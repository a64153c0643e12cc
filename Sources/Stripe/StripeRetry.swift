import Base

/// Whether and when a request that failed is made once more, with the same key.
package struct StripeRetry: Sendable {
    /// After the first attempt.
    package var largestCount = 2
    /// Doubles with each attempt.
    package var firstPause = Duration.milliseconds(500)
    package var longestPause = Duration.seconds(5)
    /// If Stripe wants a longer one, whoever asked decides.
    package var longestWantedPause = Duration.seconds(10)

    package init() {}

    /// How long to wait before attempt `number + 1`; `nil` if there is none to be.
    func pause(
        after failure: StripeFailure, attempt number: Int, _ generator: inout some RandomNumberGenerator
    ) -> Duration? {
        guard number <= largestCount, failure.isWorthRetrying else { return nil }
        let bound = min(firstPause * (1 << min(number - 1, 16)), longestPause).nanoseconds
        // From half of it on, so that many who failed at once do not come back at once.
        let ours = Duration.nanoseconds(Int64.random(in: (bound / 2)...bound, using: &generator))
        guard let wanted = failure.error.retryAfter else { return ours }
        return wanted <= longestWantedPause ? max(ours, wanted) : nil
    }
}

/// One attempt that failed.
struct StripeFailure: Error {
    var error: StripeError
    /// What Stripe says of it, which counts more than what we think.
    let advice: Bool?

    init(_ error: StripeError, advice: Bool? = nil) {
        self.error = error
        self.advice = advice
    }

    var isWorthRetrying: Bool {
        switch error.kind {
        case .unreachable: true
        case .cancelled, .unreadable, .notSent: false
        case .conflict, .rateLimited, .unavailable: advice ?? true
        case .card, .refused, .notFound, .keyReused, .unauthorized: advice ?? false
        }
    }
}
