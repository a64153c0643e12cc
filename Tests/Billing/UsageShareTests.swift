import Base
import Testing

@testable import Billing

struct UsageShareTests {
    @Test(arguments: [UInt64.random(in: 0 ... .max)])
    func `what was invoiced and what is carried are what was used, whatever the steps`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<300 {
            var (used, invoiced, carry): (Int128, Int128, Int64) = (0, 0, 0)
            let most = Int64.random(in: 1...1_000_000_000_000, using: &random)
            for _ in 0..<50 {
                let usage = Int64.random(in: 0...most, using: &random)
                let commission = Int64.random(in: 0...usage, using: &random)
                let share = UsageShare(usage: usage, commission: commission, carry: carry)
                used += Int128(usage) + Int128(commission)
                invoiced += Int128(share.usageCents) + Int128(share.commissionCents)
                carry = share.carryNanodollars
                #expect(invoiced * 10_000_000 + Int128(carry) == used, "seed \(seed)")
                #expect((0..<10_000_000).contains(carry), "seed \(seed)")
                #expect(share.usageCents >= 0 && share.commissionCents >= 0, "seed \(seed)")
            }
        }
    }

    @Test func `less than a cent waits until it is one`() {
        var share = UsageShare(usage: 9_999_999, commission: 0, carry: 0)
        #expect((share.usageCents, share.carryNanodollars) == (0, 9_999_999))
        share = UsageShare(usage: 0, commission: 1, carry: share.carryNanodollars)
        #expect((share.usageCents, share.commissionCents, share.carryNanodollars) == (1, 0, 0))
    }

    @Test func `amounts are written as people read them`() {
        #expect(
            [0, 5, 123, -250, 123_456, 123_456_789, -100_000_000].map(USCents.text) == [
                "USD 0.00", "USD 0.05", "USD 1.23", "-USD 2.50", "USD 1,234.56", "USD 1,234,567.89",
                "-USD 1,000,000.00",
            ])
    }
}
