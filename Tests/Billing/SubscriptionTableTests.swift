import Base
import Billing
import Testing

/// Every state and everything that can happen in it.
struct SubscriptionTableTests {
    private typealias Fixtures = SubscriptionFixtures

    private static func events(at now: Timestamp) -> [SubscriptionEvent] {
        [
            .upgrade(Fixtures.pro, from: nil), .downgrade(Fixtures.lite), .keepPlan, .cancelNow,
            .cancelAtPeriodEnd, .resume, .pause, .owes(since: nil), .owes(since: now + Fixtures.days(3)),
            .owes(since: now + Fixtures.days(-1)),
        ]
    }

    /// In the order of the events above, and at last what time brings.
    private static let table: [SubscriptionStatus: [String]] = [
        .incomplete: [
            "conflict incomplete", "conflict incomplete", "conflict noChangePending", "canceled, void",
            "conflict incomplete", "conflict incomplete", "conflict incomplete", "active, grant starter",
            "incomplete", "incomplete", "incomplete_expired, void",
        ],
        .incompleteExpired: ended + [
            "incomplete_expired", "incomplete_expired", "incomplete_expired", "nothing",
        ],
        .trialing: [
            "trialing, grant pro", "trialing", "conflict noChangePending", "canceled, invoice, grant free",
            "trialing", "conflict notPaused", "paused, grant free", "nothing", "trialing", "trialing",
            "active, invoice",
        ],
        .active: [
            "active, invoice, grant pro", "active", "conflict noChangePending",
            "canceled, invoice, grant free", "active", "conflict notPaused", "paused, grant free", "active",
            "active", "active", "past_due",
        ],
        .pastDue: [
            "conflict paymentOwed", "past_due", "conflict noChangePending", "canceled, invoice, grant free",
            "past_due", "conflict notPaused", "conflict paymentOwed", "active", "active", "past_due",
            "past_due, remind 1",
        ],
        .unpaid: [
            "conflict paymentOwed", "conflict paymentOwed", "conflict noChangePending", "canceled, invoice",
            "conflict paymentOwed", "conflict paymentOwed", "conflict paymentOwed", "active, grant starter",
            "active, grant starter", "past_due, grant starter", "canceled, give up",
        ],
        .paused: [
            "conflict paused", "conflict paused", "conflict noChangePending", "canceled, invoice",
            "conflict paused", "active, grant starter", "conflict alreadyPaused", "paused", "paused",
            "paused", "paused, remind 1",
        ],
        .canceled: ended + ["canceled", "canceled", "canceled", "nothing"],
    ]
    private static let ended = Array(repeating: "conflict ended", count: 7)

    private static func outcome(
        _ before: Subscription, _ change: (inout Subscription) throws -> [SubscriptionEffect]?
    ) -> String {
        var after = before
        do {
            let effects = try change(&after)
            if after == before, effects?.isEmpty ?? true { return "nothing" }
            return ([after.status.rawValue] + (effects ?? []).map(\.word)).joined(separator: ", ")
        } catch {
            #expect(after == before, "who is refused changes nothing")
            return "conflict \(error)"
        }
    }

    @Test(arguments: SubscriptionStatus.allCases)
    func `whatever happens in a state has an outcome, and it is this`(status: SubscriptionStatus) throws {
        let (subscription, now) = try Fixtures.make(status)
        #expect(subscription.status == status)
        let expected = try #require(Self.table[status])
        var outcomes = Self.events(at: now).map { event in
            Self.outcome(subscription) { try $0.apply(event, at: now) }
        }
        outcomes.append(
            Self.outcome(subscription) { $0.elapse(to: subscription.nextStepAt ?? now + Fixtures.days(900)) })
        #expect(outcomes == expected)
        for outcome in outcomes where outcome.hasPrefix("conflict") {
            #expect(SubscriptionConflict(rawValue: String(outcome.dropFirst(9))) != nil)
        }
    }

    @Test(arguments: SubscriptionStatus.allCases)
    func `what Stripe owns is asked of Stripe where it can be, and refused as our own where not`(
        status: SubscriptionStatus
    ) throws {
        let (own, now) = try Fixtures.make(status)
        var subscription = own
        let standing = StripeStanding("sub_1", seenAt: now, status, own.plan, own.period)
        _ = try subscription.follow(standing, at: now)
        for (event, expected) in zip(Self.events(at: now), try #require(Self.table[status])) {
            let outcome = Self.outcome(subscription) { try $0.apply(event, at: now) }
            if case .owes = event {
                #expect(outcome == "nothing")
            } else {
                #expect(
                    outcome
                        == (expected.hasPrefix("conflict") ? expected : "\(status.rawValue), ask Stripe"))
            }
        }
    }
}
