/// What is taken on top of what requests cost.
package struct Commission: Equatable, Sendable {
    /// Hundredths of a percent.
    package var points: Int
    package var mode: Mode

    package enum Mode: String, CaseIterable, Sendable {
        /// So much of the cost is added to it.
        case markup
        /// The cost is what remains when so much of the whole is taken away.
        case takeRate = "take_rate"
    }

    package init(points: Int, _ mode: Mode) {
        self.points = points
        self.mode = mode
    }

    /// Of a take rate of 100 % nothing would remain for the cost.
    package static func mostPoints(_ mode: Mode) -> Int { mode == .takeRate ? 9_999 : 100_000 }

    /// 30 percent.
    package static let usual = Commission(points: 3000, .markup)

    private static let whole: Int64 = 10_000

    /// On so many nano-dollars, half up. What costs nothing has none.
    package func amount(on cost: Int64) -> Int64 { quotient(cost, rounding: divisor / 2) }

    /// The same as a ceiling: what costs no more has no more of it.
    package func ceiling(on cost: Int64) -> Int64 { quotient(cost, rounding: divisor - 1) }

    /// The largest cost that is, with the most that comes on top, no more than so much.
    package func cost(within total: Int64) -> Int64 {
        guard total > 0 else { return 0 }
        var cost = Int64(clamping: Int128(total) * Int128(divisor) / Int128(divisor + share))
        while cost > 0, cost + ceiling(on: cost) > total { cost -= 1 }
        return cost
    }

    private var share: Int64 { Int64(max(0, points)) }
    private var divisor: Int64 { mode == .markup ? Self.whole : max(1, Self.whole - share) }

    /// Up to the most that anything costs.
    private func quotient(_ cost: Int64, rounding: Int64) -> Int64 {
        guard cost > 0 else { return 0 }
        let amount = (Int128(cost) * Int128(share) + Int128(rounding)) / Int128(divisor)
        return min(
            Int64(clamping: amount), ModelPrice.mostNanodollars - min(cost, ModelPrice.mostNanodollars))
    }
}
