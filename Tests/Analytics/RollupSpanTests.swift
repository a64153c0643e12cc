import Base
import Testing

@testable import Analytics

struct RollupSpanTests {
    @Test func `days lie in the middle, hours beside them, and quarter hours at the ends`() {
        let spans = RollupSpan.covering(moment(day: 1, 22, 45), moment(day: 4, 1, 15))
        #expect(
            spans == [
                RollupSpan(minutes: 15, start: moment(day: 1, 22, 45), end: moment(day: 1, 23)),
                RollupSpan(minutes: 60, start: moment(day: 1, 23), end: moment(day: 2)),
                RollupSpan(minutes: 1440, start: moment(day: 2), end: moment(day: 4)),
                RollupSpan(minutes: 60, start: moment(day: 4), end: moment(day: 4, 1)),
                RollupSpan(minutes: 15, start: moment(day: 4, 1), end: moment(day: 4, 1, 15)),
            ])
    }

    @Test func `whole weeks, from Thursday to Thursday, are one`() {
        let spans = RollupSpan.covering(moment(day: 3), moment(day: 20))
        #expect(
            spans == [
                RollupSpan(minutes: 1440, start: moment(day: 3), end: moment(day: 5)),
                RollupSpan(minutes: 10_080, start: moment(day: 5), end: moment(day: 19)),
                RollupSpan(minutes: 1440, start: moment(day: 19), end: moment(day: 20)),
            ])
    }

    @Test func `any time is covered once, without a gap`() {
        let seed = UInt64.random(in: 0...UInt64(UInt32.max))
        print("seed \(seed)")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<1000 {
            let start = moment(day: 1, 0, 15 * Int.random(in: 0..<2000, using: &random))
            let end = start + .seconds(900 * Int.random(in: 1..<2000, using: &random))
            let spans = RollupSpan.covering(
                start, end, coarsest: [15, 60, 1440, 10_080].randomElement(using: &random) ?? 15)
            #expect(spans.first?.start == start && spans.last?.end == end)
            #expect(zip(spans, spans.dropFirst()).allSatisfy { $0.end == $1.start })
            #expect(
                spans.allSatisfy { $0.start == $0.start.roundedDown(to: $0.minutes) && $0.start < $0.end })
        }
    }

    @Test func `a percentile lies in the slot of what was measured, and evenly within it`() throws {
        var histogram = LatencyHistogram()
        #expect(histogram.quantile(0.5) == nil)
        // 1024 µs until 1218 µs.
        histogram.add(100, in: 40)
        let half = try #require(histogram.quantile(0.5))
        #expect(abs(half - (1024 + 1217.75) / 2) < 1)
        // As many again, twice as long.
        histogram.add(100, in: 44)
        #expect(try #require(histogram.quantile(0.5)) < 1218)
        #expect(try #require(histogram.quantile(0.51)) >= 2048)
        #expect(try #require(histogram.quantile(1)) < 2436)
    }
}
