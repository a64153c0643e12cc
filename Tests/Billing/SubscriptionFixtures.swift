import Base
import Billing

/// Subscriptions in every state, each come by as in life.
enum SubscriptionFixtures {
    static let start = Timestamp(seconds: 1_800_000_000)
    static let lite = SubscribedPlan("lite", title: "Lite", cents: 500)
    static let starter = SubscribedPlan("starter", title: "Starter", cents: 1000)
    static let pro = SubscribedPlan("pro", title: "Pro", cents: 2999)
    static let proByYear = SubscribedPlan("pro", title: "Pro", cents: 29_990, every: .year)

    static func days(_ count: Int) -> Duration { .seconds(count * 86_400) }

    static func begun(
        _ beginning: Subscription.Beginning, _ plan: SubscribedPlan = starter
    ) throws -> Subscription {
        var (subscription, effects) = Subscription.begin(
            UUID(high: 1, low: 1), of: UUID(high: 2, low: 2), plan, beginning, at: start)
        for case .invoice(_, let due, _) in effects {
            _ = try subscription.apply(.owes(since: due), at: start)
        }
        return subscription
    }

    /// With the moment at which it is looked at.
    static func make(_ status: SubscriptionStatus) throws -> (subscription: Subscription, now: Timestamp) {
        var subscription: Subscription
        var now = start + .seconds(3600)
        switch status {
        case .incomplete, .incompleteExpired: subscription = try begun(.prepaid)
        case .trialing: subscription = try begun(.trial(days: 14))
        case .active, .pastDue, .unpaid, .paused, .canceled: subscription = try begun(.onAccount)
        }
        switch status {
        case .paused: _ = try subscription.apply(.pause, at: now)
        case .canceled: _ = try subscription.apply(.cancelNow, at: now)
        default:
            while subscription.status != status, let next = subscription.nextStepAt {
                now = next
                _ = subscription.elapse(to: now)
            }
        }
        return (subscription, now + .seconds(3600))
    }
}

extension SubscriptionEffect {
    /// One word, and what matters of the rest.
    var word: String {
        switch self {
        case .grant(let plan): "grant \(plan)"
        case .invoice: "invoice"
        case .voidInvoices: "void"
        case .giveUpInvoices: "give up"
        case .remind(let count): "remind \(count)"
        case .askStripe: "ask Stripe"
        }
    }
}
