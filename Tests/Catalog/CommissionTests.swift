import Base
import Catalog
import Testing

/// What is taken on top of what requests cost, to the nano-dollar.
struct CommissionTests {
    @Test func `a markup is added to the cost, and a take rate taken of the whole`() {
        #expect(Commission.usual.amount(on: 54_399_000) == 16_319_700)
        // 54,399 micro-dollars are 70 % of 77,712.857…
        #expect(Commission(points: 3000, .takeRate).amount(on: 54_399_000) == 23_313_857)
        #expect(Commission(points: 0, .markup).amount(on: 54_399_000) == 0)
    }

    @Test func `halves are rounded up, once`() {
        let half = Commission(points: 5000, .markup)
        #expect([1, 2, 3].map(half.amount) == [1, 1, 2])
        #expect([1, 2, 3].map(half.ceiling) == [1, 1, 2])
        #expect(Commission.usual.amount(on: 1) == 0 && Commission.usual.ceiling(on: 1) == 1)
    }

    @Test func `what is free has no commission`() {
        for mode in Commission.Mode.allCases { #expect(Commission(points: 9000, mode).ceiling(on: 0) == 0) }
    }

    @Test func `a ceiling is never below what is taken, and what fits in a sum is the most that does`() {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<10_000 {
            let commission = Commission(
                points: Int.random(in: 0...9999, using: &random),
                Commission.Mode.allCases.randomElement(using: &random) ?? .markup)
            let cost = Int64.random(in: 0...(1 << Int64.random(in: 1...50, using: &random)), using: &random)
            let (amount, ceiling) = (commission.amount(on: cost), commission.ceiling(on: cost))
            #expect(amount <= ceiling && ceiling <= amount + 1, "seed \(seed): \(commission) on \(cost)")
            let fitting = commission.cost(within: cost)
            #expect(fitting + commission.ceiling(on: fitting) <= cost || fitting == 0, "seed \(seed)")
            #expect(
                fitting + 1 + commission.ceiling(on: fitting + 1) > cost,
                "seed \(seed): \(commission) within \(cost)")
        }
    }

    @Test func `no commission makes anything dearer than anything can be`() {
        let most: Int64 = 4_000_000_000_000_000_000
        #expect(Commission(points: 100_000, .markup).amount(on: most) == 0)
        #expect(Commission(points: 100_000, .markup).amount(on: most / 2) == most / 2)
    }
}
