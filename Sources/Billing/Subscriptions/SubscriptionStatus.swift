/// How a subscription stands. The words are those of the wire, the database and Stripe.
package enum SubscriptionStatus: String, CaseIterable, Sendable {
    /// Not paid for the first time yet.
    case incomplete
    case incompleteExpired = "incomplete_expired"
    case trialing
    case active
    /// An invoice is overdue.
    case pastDue = "past_due"
    /// An invoice is overdue for so long that nothing is invoiced any more.
    case unpaid
    case paused
    case canceled

    /// Whether it never becomes anything else.
    package var isEnd: Bool { self == .canceled || self == .incompleteExpired }
}
