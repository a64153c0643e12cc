package import Base

/// What an upgrade costs, good for a quarter of an hour: whoever accepts it in time is charged this and nothing else.
package struct SubscriptionQuote: Equatable, Sendable {
    package let plan: SubscribedPlan
    /// From when the rest of the period is reckoned.
    package let moment: Timestamp
    package let lines: [InvoiceLine]

    package var expiresAt: Timestamp { moment + Subscription.Terms.quote }
    /// Negative: kept for the invoices to come.
    package var cents: Int64 { lines.reduce(0) { $0 + $1.cents } }
}

extension Subscription {
    /// What an upgrade would do now, without doing it.
    package func quote(
        upgradeTo plan: SubscribedPlan, at now: Timestamp
    ) throws(SubscriptionConflict) -> SubscriptionQuote {
        var tried = self
        // As if it were ours: what Stripe is asked for costs the same.
        tried.stripe = nil
        let moment = Timestamp(seconds: now.seconds)
        let effects = try tried.apply(.upgrade(plan, from: moment), at: now)
        for case .invoice(let lines, _, _) in effects {
            return SubscriptionQuote(plan: plan, moment: moment, lines: lines)
        }
        return SubscriptionQuote(plan: plan, moment: moment, lines: [])
    }
}
