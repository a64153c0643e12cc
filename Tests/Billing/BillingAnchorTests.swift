import Base
import Billing
import Testing

struct BillingAnchorTests {
    /// `2026-01-31 12:30:15`.
    private static func moment(
        _ year: Int, _ month: Int, _ day: Int, _ hour: Int = 12, _ minute: Int = 30, _ second: Int = 15
    ) -> Timestamp {
        // Found by looking, so that the arithmetic under test is not its own witness.
        var day0 = Timestamp(seconds: Int64((year - 1970) * 365 + (month - 1) * 29) * 86_400)
        while true {
            let civil = CivilTime(day0)
            if (civil.year, civil.month, civil.day) == (year, month, day) { break }
            day0 = day0 + .seconds(86_400)
        }
        return day0 + .seconds(hour * 3600 + minute * 60 + second)
    }

    private static func date(_ moment: Timestamp) -> [Int] {
        let civil = CivilTime(moment)
        return [civil.year, civil.month, civil.day]
    }

    @Test func `the 31st is the last day of a shorter month, and the 31st again in a longer one`() {
        let anchor = BillingAnchor(Self.moment(2027, 12, 31), every: .month)
        let dates = (0...6).map { Self.date(anchor.start(of: $0)) }
        #expect(
            dates == [
                [2027, 12, 31], [2028, 1, 31], [2028, 2, 29], [2028, 3, 31], [2028, 4, 30], [2028, 5, 31],
                [2028, 6, 30],
            ])
        #expect(Self.date(anchor.start(of: -10)) == [2027, 2, 28])
        #expect(anchor.start(of: 2) == Self.moment(2028, 2, 29))
    }

    @Test func `who began on a leap day pays on the 28th of February in the years between`() {
        let anchor = BillingAnchor(Self.moment(2028, 2, 29), every: .year)
        #expect(
            (0...4).map { Self.date(anchor.start(of: $0)) }
                == [[2028, 2, 29], [2029, 2, 28], [2030, 2, 28], [2031, 2, 28], [2032, 2, 29]])
        #expect(BillingAnchor(Self.moment(2100, 1, 31), every: .month).period(1).seconds == 31 * 86_400)
        #expect(
            Self.date(BillingAnchor(Self.moment(2100, 1, 31), every: .month).start(of: 1)) == [2100, 2, 28])
    }

    @Test(arguments: [UInt64.random(in: 0 ... .max)])
    func `every second belongs to one period, and periods follow each other without a gap`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<3000 {
            let start = Timestamp(seconds: .random(in: -2_000_000_000...8_000_000_000, using: &random))
            let anchor = BillingAnchor(start, every: Bool.random(using: &random) ? .month : .year)
            let count = Int.random(in: -400...400, using: &random)
            let period = anchor.period(count)
            #expect(anchor.period(count + 1).start == period.end, "seed \(seed)")
            #expect(anchor.period(containing: period.start) == period, "seed \(seed)")
            #expect(anchor.period(containing: period.end + .microseconds(-1)) == period, "seed \(seed)")
            let inside = Timestamp(
                seconds: .random(in: period.start.seconds..<period.end.seconds, using: &random))
            #expect(anchor.period(containing: inside) == period, "seed \(seed)")
            let (first, civil) = (CivilTime(anchor.moment), CivilTime(period.start))
            #expect(civil.day == first.day || civil.day < first.day && civil.day >= 28, "seed \(seed)")
            #expect(
                (civil.hour, civil.minute, civil.second) == (first.hour, first.minute, first.second),
                "seed \(seed)")
        }
    }

    // MARK: Parts of a period

    @Test func `half of a period costs half, and half a cent is rounded up`() {
        let period = BillingPeriod(start: Timestamp(seconds: 0), end: Timestamp(seconds: 1000))
        #expect(period.rest(of: 2999, from: Timestamp(seconds: 500)) == 1500)
        #expect(period.rest(of: 2999, from: Timestamp(seconds: 501)) == 1497)
        #expect(period.rest(of: 2999, from: Timestamp(seconds: -5)) == 2999)
        #expect(period.rest(of: 2999, from: Timestamp(seconds: 1000)) == 0)
        #expect(period.rest(of: 2999, from: Timestamp(seconds: 5000)) == 0)
        // Far beyond what 64 bits would carry in between.
        #expect(
            period.rest(of: SubscribedPlan.mostCents, from: Timestamp(seconds: 1))
                == SubscribedPlan.mostCents / 1000 * 999)
    }

    @Test(arguments: [UInt64.random(in: 0 ... .max)])
    func `what is left and what is gone make the whole, to the cent, and never less for waiting`(seed: UInt64)
    {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<5000 {
            let anchor = BillingAnchor(
                Timestamp(seconds: .random(in: 0...4_000_000_000, using: &random)),
                every: Bool.random(using: &random) ? .month : .year)
            let period = anchor.period(0)
            let cents = Int64.random(in: 0...50_000_000, using: &random)
            let moment = Timestamp(
                seconds: .random(in: period.start.seconds...period.end.seconds, using: &random))
            let rest = period.rest(of: cents, from: moment)
            let exact = Double(cents) * Double(period.end.seconds - moment.seconds) / Double(period.seconds)
            #expect(abs(Double(rest) - exact) <= 0.5 + 1e-6, "seed \(seed)")
            #expect(rest >= period.rest(of: cents, from: moment + .seconds(1)), "seed \(seed)")
            // Bought twice, once up to a moment and once from there: the same within a cent.
            let gone = cents - rest
            let again = BillingPeriod(start: period.start, end: period.end).rest(
                of: cents,
                from: Timestamp(seconds: period.start.seconds + period.end.seconds - moment.seconds))
            #expect(abs(gone - again) <= 1, "seed \(seed)")
        }
    }
}
