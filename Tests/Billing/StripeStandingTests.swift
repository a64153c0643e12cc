import Base
import Billing
import Testing

struct StripeStandingTests {
    private typealias Fixtures = SubscriptionFixtures
    private let start = SubscriptionFixtures.start

    /// What Stripe might say of a subscription, one after the other.
    private func history(_ random: inout SeededGenerator) -> [StripeStanding] {
        var standings: [StripeStanding] = []
        var now = start
        for _ in 0..<Int.random(in: 1...12, using: &random) {
            now = now + .seconds(Int.random(in: 1...1_000_000, using: &random))
            let plan = [Fixtures.lite, Fixtures.starter, Fixtures.pro, Fixtures.proByYear]
                .randomElement(using: &random)!
            var standing = StripeStanding(
                "sub_1", seenAt: now, SubscriptionStatus.allCases.randomElement(using: &random)!, plan,
                BillingAnchor(start, every: plan.interval).period(containing: now))
            standing.endsWithPeriod = .random(using: &random)
            if Bool.random(using: &random) { standing.owedSince = now + .seconds(-500_000) }
            if Bool.random(using: &random) { standing.trialEnd = now + .seconds(500_000) }
            standings.append(standing)
        }
        return standings
    }

    @Test(arguments: [UInt64.random(in: 0 ... .max)])
    func `webhooks in any order, twice and late, come to what Stripe says last`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            let history = history(&random)
            let now =
                history[history.count - 1].seenAt + .seconds(Int.random(in: 0...1_000_000, using: &random))
            // Each change is told of at least once; whoever is told asks Stripe then or later, and sees what is so then.
            var answers: [StripeStanding] = []
            for index in history.indices {
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    let asked = Timestamp(
                        microseconds: .random(
                            in: history[index].seenAt.microseconds...now.microseconds, using: &random))
                    var answer = history.last { $0.seenAt <= asked }!
                    answer.seenAt = asked
                    answers.append(answer)
                }
            }
            answers.shuffle(using: &random)
            var subscription = try Fixtures.begun(.onAccount)
            var granted = "starter"
            for answer in answers {
                for case .grant(let plan) in try subscription.follow(answer, at: now) { granted = plan }
            }

            var expected = try Fixtures.begun(.onAccount)
            var last = history[history.count - 1]
            last.seenAt = answers.map(\.seenAt).max()!
            _ = try expected.follow(last, at: now)
            #expect(subscription == expected, "seed \(seed)")
            #expect(granted == subscription.planInForce(at: now), "seed \(seed)")
            let settled = subscription
            for answer in answers { #expect(try subscription.follow(answer, at: now) == [], "seed \(seed)") }
            #expect(subscription == settled, "seed \(seed)")
        }
    }

    @Test func `time does nothing to what Stripe owns, but that its grace ends`() throws {
        var subscription = try Fixtures.begun(.onAccount)
        var standing = StripeStanding(
            "sub_1", seenAt: start, .pastDue, subscription.plan, subscription.period)
        standing.owedSince = start
        #expect(try subscription.follow(standing, at: start) == [])
        #expect(subscription.nextStepAt == start + Fixtures.days(7))
        #expect(subscription.elapse(to: start + Fixtures.days(7)) == [.grant(plan: "free")])
        #expect(subscription.status == .pastDue && subscription.nextStepAt == nil)
    }

    @Test func `what was used is asked for when a period of Stripe's is over, and when all is`() throws {
        var subscription = try Fixtures.begun(.onAccount)
        let first = subscription.period
        var standing = StripeStanding("sub_1", seenAt: start, .active, subscription.plan, first)
        #expect(try subscription.follow(standing, at: start) == [])
        let usage = SubscriptionEffect.invoice(
            [], due: start + Subscription.Terms.payment, withUsage: true)
        standing.period = BillingAnchor(start, every: subscription.plan.interval).period(1)
        standing.seenAt = start + .seconds(1)
        #expect(try subscription.follow(standing, at: start) == [usage])
        standing.seenAt = start + .seconds(2)
        #expect(try subscription.follow(standing, at: start) == [])
        (standing.status, standing.endedAt) = (.canceled, start)
        #expect(try subscription.follow(standing, at: start).contains(usage))
        #expect(try subscription.follow(standing, at: start) == [])
    }

    @Test func `what is said of another subscription is refused`() throws {
        var subscription = try Fixtures.begun(.onAccount)
        let standing = StripeStanding("sub_1", seenAt: start, .active, subscription.plan, subscription.period)
        _ = try subscription.follow(standing, at: start)
        var other = standing
        other.id = "sub_2"
        #expect(throws: SubscriptionConflict.otherSubscription) { try subscription.follow(other, at: start) }
    }
}
