import Base
import Testing

@testable import Stripe

struct StripeRetryTests {
    private func failure(_ status: Int, retryAfter: Duration? = nil, advice: Bool? = nil) -> StripeFailure {
        StripeFailure(
            StripeError(
                StripeAnswer(status: status, retryAfter: retryAfter), keeping: Secret("sk_test_ours")),
            advice: advice)
    }

    @Test func `pauses double up to a bound, and each is at least half of what it may be`() {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SeededGenerator(seed: seed)
        var retry = StripeRetry()
        retry.largestCount = 8
        for number in 1...8 {
            let bound = min(Duration.milliseconds(500) * (1 << (number - 1)), .seconds(5))
            var seen: Set<Duration> = []
            for _ in 0..<100 {
                let pause = retry.pause(after: failure(500), attempt: number, &generator) ?? .zero
                #expect((bound / 2...bound).contains(pause), "seed \(seed)")
                seen.insert(pause)
            }
            #expect(seen.count > 50, "they all come back at once; seed \(seed)")
        }
        #expect(retry.pause(after: failure(500), attempt: 9, &generator) == nil)
    }

    @Test func `Stripe's own wish counts, up to where the caller should not wait`() {
        var generator = SeededGenerator(seed: 1)
        let retry = StripeRetry()
        func pause(_ failure: StripeFailure) -> Duration? {
            retry.pause(after: failure, attempt: 1, &generator)
        }
        #expect(pause(failure(429, retryAfter: .seconds(7))) == .seconds(7))
        #expect(pause(failure(503, retryAfter: .seconds(10))) == .seconds(10))
        #expect(pause(failure(503, retryAfter: .seconds(11))) == nil)
        #expect(pause(failure(429, retryAfter: .zero)).map { $0 >= .milliseconds(250) } == true)
        #expect(pause(failure(500, advice: false)) == nil)
        #expect(pause(failure(400, advice: true)) != nil)
        #expect(pause(failure(400)) == nil)
    }
}
