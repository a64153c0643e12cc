import Testing

@testable import Providers

struct ConcurrencyLimiterTests {
    /// As many as may go, all answered in `time`.
    private func round(_ limiter: inout ConcurrencyLimiter, _ time: Duration) -> Int {
        var count = 0
        while limiter.enter() { count += 1 }
        for _ in 0..<count { limiter.leave(timeToFirstToken: time) }
        return count
    }

    @Test func `an upstream that stays fast gets more, up to a bound`() {
        var limiter = ConcurrencyLimiter()
        let first = round(&limiter, .milliseconds(100))
        for _ in 0..<50 { _ = round(&limiter, .milliseconds(100)) }
        #expect(limiter.limit > first && limiter.limit <= Int(ConcurrencyLimiter.most))
    }

    @Test
    func `an upstream that slows down gets less, but never nothing, and more again when it has recovered`() {
        var limiter = ConcurrencyLimiter()
        for _ in 0..<5 { _ = round(&limiter, .milliseconds(100)) }
        let before = limiter.limit
        for _ in 0..<60 {
            guard limiter.enter() else { break }
            limiter.leave(timeToFirstToken: .seconds(20))
        }
        #expect(limiter.limit < before / 2)
        let slow = limiter.limit
        #expect(slow >= Int(ConcurrencyLimiter.least))
        for _ in 0..<50 { _ = round(&limiter, .milliseconds(100)) }
        #expect(limiter.limit > slow)
    }

    @Test func `an upstream that answers in milliseconds gets no less for some more of them`() {
        var limiter = ConcurrencyLimiter()
        for _ in 0..<5 { _ = round(&limiter, .milliseconds(1)) }
        let before = limiter.limit
        for _ in 0..<20 { _ = round(&limiter, .milliseconds(200)) }
        #expect(limiter.limit >= before)
    }

    @Test func `one that turns requests away gets fewer at once`() {
        var limiter = ConcurrencyLimiter()
        for _ in 0..<100 {
            let mayEnter = limiter.enter()
            #expect(mayEnter)
        }
        for _ in 0..<100 { limiter.leaveOverloaded() }
        #expect(limiter.limit < 200 && limiter.underWay == 0)
    }

    @Test func `whatever was entered leaves`() {
        var limiter = ConcurrencyLimiter()
        for step in 0..<1000 {
            guard limiter.enter() else { continue }
            switch step % 3 {
            case 0: limiter.leave()
            case 1: limiter.leave(timeToFirstToken: .milliseconds(step))
            default: limiter.leaveOverloaded()
            }
        }
        #expect(limiter.underWay == 0)
        #expect(limiter.limit >= Int(ConcurrencyLimiter.least))
    }
}
