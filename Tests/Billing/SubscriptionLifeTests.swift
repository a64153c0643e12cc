import Base
import Billing
import Testing

/// Years of subscriptions, with people who do whatever comes to their minds.
struct SubscriptionLifeTests {
    /// A subscription and its invoices, as a store would keep them.
    private struct Life {
        var subscription: Subscription
        var now: Timestamp
        var plan = "free"
        var unpaid: [Timestamp] = []
        /// Paid for in whole, one by one.
        var periods: [BillingPeriod] = []

        /// A change of the interval gives the rest of a period back.
        private mutating func cut(_ lines: [InvoiceLine]) {
            guard let rest = lines.first(where: { $0.kind == .proration })?.period,
                let last = periods.lastIndex(where: { $0.end == rest.end })
            else { return }
            if periods[last].start < rest.start {
                periods[last].end = rest.start
            } else {
                periods.remove(at: last)
            }
        }

        mutating func perform(_ effects: [SubscriptionEffect]) throws {
            for effect in effects {
                switch effect {
                case .grant(let plan): self.plan = plan
                case .invoice(let lines, let due, _):
                    if lines.contains(where: { $0.kind == .subscription }) { cut(lines) }
                    periods += lines.filter { $0.kind == .subscription }.compactMap(\.period)
                    if lines.reduce(0, { $0 + $1.cents }) > 0 { unpaid.append(due) }
                case .voidInvoices, .giveUpInvoices: unpaid = []
                case .remind, .askStripe: break
                }
            }
            if !effects.isEmpty { try perform(try subscription.apply(.owes(since: unpaid.min()), at: now)) }
        }

        mutating func live(until end: Timestamp) throws -> Int {
            var steps = 0
            while let next = subscription.nextStepAt, next <= end {
                now = max(now, next)
                try perform(subscription.elapse(to: now) ?? [])
                steps += 1
                if steps > 1000 { break }
            }
            now = end
            return steps
        }
    }

    private static func event(_ random: inout SeededGenerator) -> SubscriptionEvent {
        let plans = [
            SubscriptionFixtures.lite, SubscriptionFixtures.starter, SubscriptionFixtures.pro,
            SubscriptionFixtures.proByYear,
        ]
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<6: return .upgrade(plans.randomElement(using: &random)!, from: nil)
        case 6..<11: return .downgrade(plans.randomElement(using: &random)!)
        case 11: return .keepPlan
        case 12: return .cancelNow
        case 13: return .cancelAtPeriodEnd
        case 14..<18: return .resume
        default: return .pause
        }
    }

    @Test(arguments: [UInt64.random(in: 0 ... .max)])
    func `nobody has what they do not pay for, and no day is paid for twice`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<400 {
            let beginnings: [Subscription.Beginning] = [.onAccount, .prepaid, .trial(days: 30)]
            let start = SubscriptionFixtures.start
            let (subscription, effects) = Subscription.begin(
                UUID(high: 1, low: 1), of: UUID(high: 1, low: 2), SubscriptionFixtures.starter,
                beginnings.randomElement(using: &random)!, at: start)
            var life = Life(subscription: subscription, now: start)
            try life.perform(effects)
            let paysOften = Int.random(in: 1...4, using: &random)
            for _ in 0..<40 {
                let pause = Duration.seconds(Int.random(in: 0...20 * 86_400, using: &random))
                let steps = try life.live(until: life.now + pause)
                #expect(steps < 20, "time comes to an end; seed \(seed)")
                let before = life.subscription
                do throws(SubscriptionConflict) {
                    let effects = try life.subscription.apply(Self.event(&random), at: life.now)
                    do { try life.perform(effects) } catch { Issue.record("seed \(seed): \(error)") }
                } catch {
                    #expect(life.subscription == before, "seed \(seed)")
                }
                if Int.random(in: 0..<paysOften, using: &random) == 0, !life.unpaid.isEmpty {
                    life.unpaid.removeFirst()
                    try life.perform(
                        try life.subscription.apply(.owes(since: life.unpaid.min()), at: life.now))
                }
                let after = life.subscription
                _ = try life.live(until: life.now)
                #expect(life.plan == life.subscription.planInForce(at: life.now), "seed \(seed)")
                #expect(life.subscription.grantedPlan == life.plan, "seed \(seed)")
                #expect(
                    !after.status.isEnd || life.subscription == after, "what has ended stays; seed \(seed)")
                if let oldest = life.unpaid.min(), oldest + .seconds(7 * 86_400) <= life.now {
                    #expect(life.plan == "free", "seed \(seed)")
                }
            }
            let sorted = life.periods.sorted { $0.start < $1.start }
            for (former, next) in zip(sorted, sorted.dropFirst()) {
                #expect(former.end <= next.start, "seed \(seed)")
            }
        }
    }
}
