import Base
import Testing

@testable import Billing

struct UsageShareTests {
    @Test(arguments: [UInt64.random(in: 0 ... .max)])
    func `what was invoiced and what is carried are what was used, whatever the steps`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<300 {
            var (used, invoiced, carry): (Int64, Int64, Int64) = (0, 0, 0)
            let most = Int64.random(in: 1...1_000_000_000_000, using: &random)
            for _ in 0..<50 {
                let usage = Int64.random(in: 0...most, using: &random)
                let commission = Int64.random(in: 0...usage, using: &random)
                used += usage + commission
                let share = UsageShare(
                    of: used - invoiced * USCents.nanodollars, usage: usage, commission: commission)
                invoiced += share.usageCents + share.commissionCents
                carry = share.carryNanodollars
                #expect(invoiced * 10_000_000 + carry == used, "seed \(seed)")
                #expect((0..<10_000_000).contains(carry), "seed \(seed)")
                // The commission is its part, within what was carried and a cent.
                #expect(share.usageCents >= 0 && share.commissionCents >= 0, "seed \(seed)")
                #expect(abs(share.commissionCents - commission / 10_000_000) <= 2, "seed \(seed)")
            }
        }
    }

    @Test func `less than a cent waits until it is one, and what was paid ahead is not asked for`() {
        #expect(UsageShare(of: 9_999_999, usage: 9_999_999, commission: 0).carryNanodollars == 9_999_999)
        #expect(UsageShare(of: 10_000_000, usage: 1, commission: 0).usageCents == 1)
        #expect(UsageShare(of: -5, usage: 100_000_000, commission: 5).usageCents == 0)
        let half = UsageShare(of: 130_000_000, usage: 100, commission: 30)
        #expect((half.usageCents, half.commissionCents) == (10, 3))
    }

    @Test func `amounts are written as people read them`() {
        #expect(
            [0, 5, 123, -250, 123_456, 123_456_789, -100_000_000].map(USCents.text) == [
                "USD 0.00", "USD 0.05", "USD 1.23", "-USD 2.50", "USD 1,234.56", "USD 1,234,567.89",
                "-USD 1,000,000.00",
            ])
    }
}
