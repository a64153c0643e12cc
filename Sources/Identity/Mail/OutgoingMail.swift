package import Base

/// A mail that this process has taken out of the outbox to send it.
package struct OutgoingMail: Sendable {
    package let id: UUID
    package let message: MailMessage
    package let createdAt: Timestamp
    /// How often it was tried, this time included.
    package let attempt: Int

    /// After so many it is given up: a day, with the pauses below.
    static let mostAttempts = 30

    /// How long to wait after this attempt has failed.
    var pause: Duration {
        // The first failure is often of a moment, or a server that wants to see whether we come again.
        attempt <= 1 ? .seconds(5) : .seconds(min(3600, 60 << min(attempt - 2, 6)))
    }
}
