package import Base

/// What is wished of a subscription, or becomes known of its invoices.
package enum SubscriptionEvent: Equatable, Sendable {
    /// To a plan that costs more, now. What is left of the period is prorated from a moment that a quote has frozen, or
    /// else from now.
    case upgrade(SubscribedPlan, from: Timestamp?)
    /// To a plan that costs no more, when the period ends.
    case downgrade(SubscribedPlan)
    /// The downgrade that is pending is not to be.
    case keepPlan
    case cancelNow
    case cancelAtPeriodEnd
    /// Out of a pause, or of a cancellation that has not come into force.
    case resume
    case pause
    /// When the oldest invoice that is not paid is due; nil: all are paid.
    case owes(since: Timestamp?)
}
