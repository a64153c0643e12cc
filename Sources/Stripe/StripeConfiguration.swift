package import Base
package import HTTPClient

/// How Stripe is spoken to.
package struct StripeConfiguration: Sendable {
    package static let usualBaseURL = "https://api.stripe.com"

    package var secretKey: Secret
    /// Without a slash at its end.
    package var baseURL: String
    /// For each attempt.
    package var deadlines: HTTPClientRequest.Deadlines
    package var retry: StripeRetry

    package init(
        secretKey: Secret, baseURL: String = usualBaseURL,
        deadlines: HTTPClientRequest.Deadlines = usualDeadlines, retry: StripeRetry = StripeRetry()
    ) {
        self.secretKey = secretKey
        self.baseURL = baseURL.hasSuffix("/") ? String(baseURL.dropLast()) : baseURL
        self.deadlines = deadlines
        self.retry = retry
    }

    /// A payment waits for the customer's bank.
    package static let usualDeadlines = HTTPClientRequest.Deadlines(
        connect: .seconds(5), firstByte: .seconds(30), betweenBytes: .seconds(10), total: .seconds(40))
}
