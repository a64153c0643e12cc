import HTTPWire
import Testing

@testable import Gateway

@Suite struct RateFieldsTests {
    @Test(arguments: [
        (0, "0ms"), (1, "1ms"), (999, "999ms"), (1000, "1s"), (1001, "2s"), (59_000, "59s"),
        (59_001, "60s"), (60_000, "1m0s"), (61_500, "1m2s"), (3_599_000, "59m59s"), (3_600_000, "1h0m0s"),
        (90_061_000, "25h1m1s"),
    ])
    func `the time until a limit has room is told as OpenAI tells it`(milliseconds: Int64, text: String) {
        var fields = HTTPFields()
        RateFields.append("x-ratelimit-reset-requests", after: milliseconds, to: &fields)
        #expect(fields.string("x-ratelimit-reset-requests") == text)
    }
}
