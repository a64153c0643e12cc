import Base
import Billing
import Testing

struct SubscriptionTests {
    private typealias Fixtures = SubscriptionFixtures
    private let start = SubscriptionFixtures.start

    /// All that time does up to `now`, with when it did it, in days since the beginning.
    private func elapse(_ subscription: inout Subscription, days: Int) -> [String] {
        var seen: [String] = []
        while let at = subscription.nextStepAt, at <= start + Fixtures.days(days) {
            let effects = subscription.elapse(to: at) ?? []
            let day = (at.seconds - start.seconds) / 86_400
            seen.append(
                ([subscription.status.rawValue] + effects.map(\.word)).joined(separator: ", ") + " @\(day)")
        }
        return seen
    }

    @Test func `an invoice that nobody pays is reminded of, then costs the plan, then the subscription`()
        throws
    {
        var subscription = try Fixtures.begun(.onAccount)
        #expect(subscription.grantedPlan == "starter")
        #expect(
            elapse(&subscription, days: 400) == [
                "past_due @14", "past_due, remind 1 @15", "past_due, remind 2 @17", "past_due, remind 3 @19",
                "past_due, grant free @21", "past_due, remind 4 @21", "unpaid @28", "canceled, give up @44",
            ])
        #expect(subscription.endedAt == start + Fixtures.days(44) && subscription.nextStepAt == nil)
    }

    @Test func `whoever pays within the grace notices nothing, and later gets back what they had`() throws {
        var subscription = try Fixtures.begun(.onAccount)
        _ = elapse(&subscription, days: 20)
        #expect(subscription.graceUntil == start + Fixtures.days(21))
        #expect(subscription.hasFullAccess(at: start + Fixtures.days(21) + .microseconds(-1)))
        #expect(!subscription.hasFullAccess(at: start + Fixtures.days(21)))
        var prompt = subscription
        #expect(try prompt.apply(.owes(since: nil), at: start + Fixtures.days(20)) == [])
        #expect(prompt.status == .active)
        _ = elapse(&subscription, days: 40)
        #expect(subscription.status == .unpaid && subscription.planInForce(at: start) == "free")
        // The period has ended in between: a new one begins with the payment.
        let now = start + Fixtures.days(41)
        let effects = try subscription.apply(.owes(since: nil), at: now)
        #expect(effects.map(\.word) == ["invoice", "grant starter"])
        #expect(subscription.period == BillingAnchor(now, every: .month).period(0))
    }

    @Test func `reminders that nobody could send are not sent together`() throws {
        var subscription = try Fixtures.begun(.onAccount)
        let late = start + Fixtures.days(20)
        #expect(subscription.elapse(to: late) == [])
        #expect(subscription.elapse(to: late) == [.remind(3)])
        #expect(subscription.elapse(to: late) == nil)
    }

    @Test func `a first invoice that is not paid within 23 hours ends what had not begun`() throws {
        var subscription = try Fixtures.begun(.prepaid)
        #expect(subscription.planInForce(at: start) == "free")
        #expect(subscription.elapse(to: start + .seconds(23 * 3600 - 1)) == nil)
        #expect(subscription.elapse(to: start + .seconds(23 * 3600)) == [.voidInvoices])
        #expect(subscription.status == .incompleteExpired)
    }

    @Test func `a downgrade waits for the period's end, and can be taken back until then`() throws {
        var subscription = try Fixtures.begun(.onAccount, Fixtures.pro)
        _ = try subscription.apply(.owes(since: nil), at: start)
        _ = try subscription.apply(.downgrade(Fixtures.lite), at: start)
        _ = try subscription.apply(.keepPlan, at: start)
        #expect(subscription.nextPlan == nil)
        _ = try subscription.apply(.downgrade(Fixtures.lite), at: start)
        let end = subscription.period.end
        #expect(subscription.planInForce(at: end + .microseconds(-1)) == "pro")
        let effects = subscription.elapse(to: end) ?? []
        #expect(effects.map(\.word) == ["invoice", "grant lite"])
        guard case .invoice(let lines, let due, true) = effects.first else {
            Issue.record("no invoice with what was used")
            return
        }
        #expect(lines == [InvoiceLine(.subscription, "Lite", period: subscription.period, cents: 500)])
        #expect(due == end + Fixtures.days(14) && subscription.period.start == end)
    }

    @Test func `a cancellation at the period's end can be taken back until then`() throws {
        var subscription = try Fixtures.begun(.onAccount)
        _ = try subscription.apply(.owes(since: nil), at: start)
        _ = try subscription.apply(.cancelAtPeriodEnd, at: start)
        _ = try subscription.apply(.resume, at: start)
        #expect(!subscription.endsWithPeriod)
        _ = try subscription.apply(.cancelAtPeriodEnd, at: start)
        let effects = subscription.elapse(to: subscription.period.end) ?? []
        #expect(effects.map(\.word) == ["invoice", "grant free"] && subscription.status == .canceled)
    }

    @Test func `an upgrade is charged as it was quoted, for fifteen minutes and not a second longer`() throws
    {
        let subscription = try Fixtures.begun(.onAccount)
        let middle = Timestamp(
            seconds: (subscription.period.start.seconds + subscription.period.end.seconds) / 2)
        let quote = try subscription.quote(upgradeTo: Fixtures.pro, at: middle + .microseconds(900))
        #expect(quote.lines.map(\.cents) == [-500, 1500] && quote.cents == 1000)
        for (later, isGood) in [(0, true), (899, true), (900, false)] {
            var upgraded = subscription
            let now = middle + .seconds(later)
            if isGood {
                let effects = try upgraded.apply(.upgrade(quote.plan, from: quote.moment), at: now)
                #expect(
                    effects == [
                        .invoice(quote.lines, due: now + Fixtures.days(14), withUsage: false),
                        .grant(plan: "pro"),
                    ])
                #expect(upgraded.period == subscription.period)
            } else {
                #expect(throws: SubscriptionConflict.quoteExpired) {
                    try upgraded.apply(.upgrade(quote.plan, from: quote.moment), at: now)
                }
            }
        }
    }

    @Test func `a change from months to years begins a new period and gives the rest of the month back`()
        throws
    {
        var subscription = try Fixtures.begun(.onAccount, Fixtures.pro)
        let dearer = SubscribedPlan("pro", title: "Pro", cents: 40_000, every: .year)
        // Ten months for a year are cheaper than twelve: no upgrade.
        #expect(throws: SubscriptionConflict.notMore) {
            try subscription.apply(.upgrade(Fixtures.proByYear, from: nil), at: start)
        }
        let now = start + Fixtures.days(10)
        let effects = try subscription.apply(.upgrade(dearer, from: nil), at: now)
        guard case .invoice(let lines, _, _) = effects.first else {
            Issue.record("no invoice")
            return
        }
        #expect(lines.map(\.kind) == [.proration, .subscription] && lines[1].cents == 40_000)
        #expect(subscription.period == BillingAnchor(now, every: .year).period(0))
        #expect(lines[1].period == subscription.period)
    }

    @Test func `what comes back from a pause after its period begins a new one`() throws {
        var subscription = try Fixtures.begun(.onAccount)
        _ = try subscription.apply(.owes(since: nil), at: start)
        _ = try subscription.apply(.pause, at: start + Fixtures.days(5))
        #expect(subscription.planInForce(at: start) == "free" && subscription.nextStepAt == nil)
        var early = subscription
        #expect(try early.apply(.resume, at: start + Fixtures.days(6)) == [.grant(plan: "starter")])
        let effects = try subscription.apply(.resume, at: start + Fixtures.days(90))
        #expect(effects.map(\.word) == ["invoice", "grant starter"])
        #expect(subscription.period.start == start + Fixtures.days(90))
    }

    @Test(arguments: [UInt64.random(in: 0 ... .max)])
    func `an upgrade and the way back cost nothing within a cent`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<2000 {
            let low = SubscribedPlan("low", title: "Low", cents: .random(in: 1...100_000, using: &random))
            let high = SubscribedPlan(
                "high", title: "High", cents: .random(in: low.cents + 1...200_000, using: &random))
            let period = BillingAnchor(start, every: .month).period(0)
            let moment = Timestamp(
                seconds: .random(in: period.start.seconds..<period.end.seconds, using: &random))
            let quote = try Fixtures.begun(.onAccount, low).quote(upgradeTo: high, at: moment)
            let back = period.rest(of: high.cents, from: moment) - period.rest(of: low.cents, from: moment)
            #expect(abs(quote.cents - back) <= 1, "seed \(seed)")
            let exact =
                Double(high.cents - low.cents) * Double(period.end.seconds - moment.seconds)
                / Double(period.seconds)
            #expect(abs(Double(quote.cents) - exact) <= 1, "seed \(seed)")
            #expect(quote.cents >= 0 && quote.cents <= high.cents - low.cents + 1, "seed \(seed)")
        }
    }
}
