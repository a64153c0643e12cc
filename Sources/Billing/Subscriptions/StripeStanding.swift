package import Base

/// What Stripe says of a subscription at one moment: all that is taken from it, in words of our own.
package struct StripeStanding: Equatable, Sendable {
    package var id: String
    /// As of when: the moment before Stripe was asked. Of two answers the one that was asked for later holds.
    package var seenAt: Timestamp
    package var status: SubscriptionStatus
    package var plan: SubscribedPlan
    package var period: BillingPeriod
    package var trialEnd: Timestamp?
    package var endsWithPeriod = false
    /// A change of plan that Stripe has scheduled for the period's end.
    package var nextPlan: SubscribedPlan?
    package var endedAt: Timestamp?
    /// When the latest invoice that is not paid was to be paid; nil: none is, or Stripe does not say.
    package var owedSince: Timestamp?

    package init(
        _ id: String, seenAt: Timestamp, _ status: SubscriptionStatus, _ plan: SubscribedPlan,
        _ period: BillingPeriod
    ) {
        self.id = id
        self.seenAt = seenAt
        self.status = status
        self.plan = plan
        self.period = period
    }
}

extension Subscription {
    /// One that Stripe has told us of first.
    init(_ id: UUID, of organization: UUID, _ standing: StripeStanding, at now: Timestamp) {
        self.init(
            id: id, organization: organization, status: standing.status, plan: standing.plan,
            anchor: standing.period.start, period: standing.period, createdAt: Timestamp(seconds: now.seconds)
        )
    }

    /// Takes what Stripe says. What it becomes depends on the latest answer alone, so that answers may come in any order
    /// and twice.
    package mutating func follow(
        _ standing: StripeStanding, at now: Timestamp
    ) throws(SubscriptionConflict) -> [SubscriptionEffect] {
        if let stripe {
            guard stripe.id == standing.id else { throw .otherSubscription }
            if standing.seenAt < stripe.seenAt { return [] }
        }
        // Stripe invoices plans, and what was used is ours to ask for.
        let isOver =
            stripe != nil && endedAt == nil
            && (period.start < standing.period.start || standing.endedAt != nil)
        stripe = StripeLink(id: standing.id, seenAt: standing.seenAt)
        status = standing.status
        plan = standing.plan
        period = standing.period
        anchor = standing.period.start
        trialEnd = standing.trialEnd
        endsWithPeriod = standing.endsWithPeriod
        nextPlan = standing.nextPlan
        endedAt = standing.endedAt
        owedSince = standing.owedSince
        // Where Stripe does not say since when: it charges when a period begins.
        graceUntil = status == .pastDue ? (owedSince ?? period.start) + Terms.grace : nil
        return grants(at: now) + (isOver ? [.invoice([], due: now + Terms.payment, withUsage: true)] : [])
    }
}
