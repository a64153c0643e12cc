import Base
import Postgres

/// A subscription with which of its versions it is.
package struct StoredSubscription: Equatable, Sendable {
    package var subscription: Subscription
    /// Raised by every change.
    package var version: Int64
}

extension StoredSubscription {
    static let columns: SQL = """
        id, org_id, status, plan, plan_title, plan_cents, plan_interval, next_plan, next_plan_title, next_plan_cents,
        next_plan_interval, anchor, period_start, period_end, created_at, trial_end, grace_until, owed_since, reminders,
        reminded_of, ends_with_period, ended_at, granted_plan, stripe_id, stripe_seen_at, version
        """

    init(_ row: PostgresRow) throws(PostgresError) {
        let unknown = PostgresError(.decoding, "a subscription that this program does not know")
        guard let status = SubscriptionStatus(rawValue: try row.decode(String.self, "status")),
            let plan = try SubscribedPlan(row, "plan")
        else { throw unknown }
        let createdAt = try row.decode(Timestamp.self, "created_at")
        var subscription = Subscription(
            id: try row.decode(UUID.self, "id"), organization: try row.decode(UUID.self, "org_id"),
            status: status, plan: plan, anchor: try row.decode(Timestamp.self, "anchor"),
            period: BillingPeriod(
                start: try row.decode(Timestamp.self, "period_start"),
                end: try row.decode(Timestamp.self, "period_end")), createdAt: createdAt)
        subscription.nextPlan = try SubscribedPlan(row, "next_plan")
        subscription.trialEnd = try row.decode(Timestamp?.self, "trial_end")
        subscription.graceUntil = try row.decode(Timestamp?.self, "grace_until")
        subscription.owedSince = try row.decode(Timestamp?.self, "owed_since")
        subscription.reminders = Int(try row.decode(Int16.self, "reminders"))
        subscription.remindedOf = try row.decode(Timestamp?.self, "reminded_of")
        subscription.endsWithPeriod = try row.decode(Bool.self, "ends_with_period")
        subscription.endedAt = try row.decode(Timestamp?.self, "ended_at")
        subscription.grantedPlan = try row.decode(String?.self, "granted_plan")
        if let id = try row.decode(String?.self, "stripe_id"),
            let seenAt = try row.decode(Timestamp?.self, "stripe_seen_at")
        {
            subscription.stripe = Subscription.StripeLink(id: id, seenAt: seenAt)
        }
        self.init(subscription: subscription, version: try row.decode(Int64.self, "version"))
    }
}

extension SubscribedPlan {
    /// From the columns that begin with `name`; nil where they are NULL.
    fileprivate init?(_ row: PostgresRow, _ name: String) throws(PostgresError) {
        guard let plan = try row.decode(String?.self, name),
            let title = try row.decode(String?.self, name + "_title"),
            let cents = try row.decode(Int64?.self, name + "_cents"),
            let interval = try row.decode(String?.self, name + "_interval").flatMap(BillingInterval.init)
        else { return nil }
        self.init(plan, title: title, cents: cents, every: interval)
    }
}

extension Subscription {
    var insertion: SQL {
        """
        INSERT INTO subscriptions (id, org_id, status, plan, plan_title, plan_cents, plan_interval, anchor, period_start,
            period_end, created_at)
        VALUES (\(id), \(organization), \(status.rawValue), \(plan.name), \(plan.title), \(plan.cents),
            \(plan.interval.rawValue), \(anchor), \(period.start), \(period.end), \(createdAt))
        """
    }

    var update: SQL {
        """
        UPDATE subscriptions SET status = \(status.rawValue), plan = \(plan.name), plan_title = \(plan.title),
            plan_cents = \(plan.cents), plan_interval = \(plan.interval.rawValue), next_plan = \(nextPlan?.name),
            next_plan_title = \(nextPlan?.title), next_plan_cents = \(nextPlan?.cents),
            next_plan_interval = \(nextPlan?.interval.rawValue), anchor = \(anchor), period_start = \(period.start),
            period_end = \(period.end), trial_end = \(trialEnd), grace_until = \(graceUntil),
            owed_since = \(owedSince), reminders = \(Int16(reminders)), reminded_of = \(remindedOf),
            ends_with_period = \(endsWithPeriod), ended_at = \(endedAt), granted_plan = \(grantedPlan),
            stripe_id = \(stripe?.id), stripe_seen_at = \(stripe?.seenAt), next_step_at = \(nextStepAt)
        WHERE id = \(id)
        """
    }
}
