import Base
import Testing

struct TimestampTests {
    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"),
        (951_782_400_000_000, "2000-02-29T00:00:00.000Z"),
        (1_795_228_100_123_456, "2026-11-21T02:28:20.123Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (-62_135_596_800_000_000, "0001-01-01T00:00:00.000Z"),
    ])
    func `a moment is written as RFC 3339 in UTC`(microseconds: Int64, text: String) {
        #expect(Timestamp(microseconds: microseconds).description == text)
    }

    @Test func `every day of four centuries follows the day before it`() {
        var previous = CivilTime(Timestamp(seconds: -86_400))
        for day in 0..<146_097 {
            let civil = CivilTime(Timestamp(seconds: Int64(day) * 86_400))
            #expect(civil.weekday == (previous.weekday + 1) % 7)
            let sameMonth = civil.month == previous.month && civil.day == previous.day + 1
            let nextMonth = civil.day == 1 && previous.day >= 28 && civil.month == previous.month % 12 + 1
            if !sameMonth && !nextMonth { Issue.record("\(previous) is followed by \(civil)") }
            previous = civil
        }
        #expect(previous.year == 2369)
    }
}
