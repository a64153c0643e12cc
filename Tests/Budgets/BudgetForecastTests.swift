import Base
import Testing

@testable import Budgets

/// What a window comes to.
struct BudgetForecastTests {
    private static let start = Timestamp(seconds: 1_800_000_000)
    private static let range = start..<(start + .seconds(1000))

    private static func window(_ spent: Int64, of cap: Int64, _ range: Range<Timestamp>? = range)
        -> BudgetWindow
    {
        BudgetWindow(id: .make(), range: range, cap: cap, spent: spent)
    }

    private static func forecast(_ spent: Int64, of cap: Int64, after seconds: Int64) -> BudgetForecast? {
        BudgetForecast(of: window(spent, of: cap), at: start + .seconds(seconds))
    }

    @Test func `it goes on as it has gone so far`() {
        let forecast = Self.forecast(100, of: 1000, after: 250)
        #expect(forecast?.nanodollars == 400 && forecast?.exhaustedAt == nil)
        let spent = Self.forecast(100, of: 200, after: 250)
        #expect(spent?.nanodollars == 400 && spent?.exhaustedAt == Self.start + .seconds(500))
        // A third is rounded half up, and its end is not before it is reached.
        #expect(Self.forecast(1, of: 1000, after: 300)?.nanodollars == 3)
        #expect(Self.forecast(1, of: 1000, after: 400)?.nanodollars == 3)
        #expect(
            Self.forecast(3, of: 4, after: 100)?.exhaustedAt == Self.start + .microseconds(133_333_334))
    }

    @Test func `what is spent is spent now, and what is not used never is`() {
        let over = Self.forecast(300, of: 200, after: 250)
        #expect(over?.nanodollars == 1200 && over?.exhaustedAt == Self.start + .seconds(250))
        let idle = Self.forecast(0, of: 200, after: 250)
        #expect(idle?.nanodollars == 0 && idle?.exhaustedAt == nil)
        #expect(Self.forecast(0, of: 0, after: 250)?.exhaustedAt == Self.start + .seconds(250))
    }

    @Test func `of what has only begun, has ended or never ends nothing is said`() {
        #expect(Self.forecast(100, of: 200, after: 59) == nil)
        #expect(Self.forecast(100, of: 200, after: 60) != nil)
        #expect(Self.forecast(100, of: 200, after: 1000) == nil)
        #expect(BudgetForecast(of: Self.window(1, of: 2, nil), at: Self.start) == nil)
    }

    @Test func `the largest amounts are forecast too`() {
        let most = Budget.most
        #expect(Self.forecast(most, of: most, after: 100)?.nanodollars == most * 10)
        #expect(Self.forecast(4_000_000_000_000_000_000, of: most, after: 100)?.nanodollars == .max)
        #expect(Self.window(.max, of: 1).usedPercent == .max)
        #expect(Self.window(1, of: 0).usedPercent == nil)
        #expect(Self.window(199, of: 200).usedPercent == 99)
    }

    @Test func `a budget is warned from its first threshold, and spent from its amount on`() {
        func state(_ spent: Int64, of cap: Int64, _ thresholds: [Int] = [50, 80]) -> BudgetWindow.State {
            Self.window(spent, of: cap).state(thresholds: thresholds)
        }
        #expect(state(0, of: 100) == .ok && state(49, of: 100) == .ok && state(50, of: 100) == .warned)
        #expect(state(99, of: 100) == .warned && state(100, of: 100) == .spent && state(0, of: 0) == .spent)
        #expect(state(99, of: 100, []) == .ok)
    }
}
