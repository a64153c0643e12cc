import Base
import Testing

@testable import Providers

struct CircuitBreakerTests {
    private var start: Instant { Instant(nanoseconds: 1_000_000_000_000) }

    /// A breaker that has just opened, and until when.
    private func opened() throws -> (breaker: CircuitBreaker, until: Instant) {
        var breaker = CircuitBreaker()
        for _ in 0..<5 { breaker.failed(wasProbe: false, at: start) }
        guard case .open(let until) = breaker.state else { throw NotOpen() }
        return (breaker, until)
    }

    private struct NotOpen: Error {}

    @Test func `a few failures among many successes change nothing`() {
        var breaker = CircuitBreaker()
        for step in 0..<100 {
            let now = start + .milliseconds(step * 10)
            #expect(breaker.admit(at: now) == .pass)
            if step % 3 == 0 {
                breaker.failed(wasProbe: false, at: now)
            } else {
                breaker.succeeded(wasProbe: false, at: now)
            }
        }
        #expect(breaker.state == .closed)
    }

    @Test func `failures that are old are forgotten`() {
        var breaker = CircuitBreaker()
        for step in 0..<20 {
            breaker.failed(wasProbe: false, at: start + .seconds(step * 6))
            #expect(breaker.state == .closed)
        }
    }

    @Test func `an upstream that fails gets nothing for a while, and then one request to see`() throws {
        var (breaker, until) = try opened()
        #expect(breaker.admit(at: start + .milliseconds(1)) == .refuse(until: until))
        #expect(breaker.admit(at: until) == .probe)
        for _ in 0..<3 {
            guard case .refuse = breaker.admit(at: until) else {
                Issue.record("a second probe")
                return
            }
        }
        breaker.succeeded(wasProbe: true, at: until)
        #expect(breaker.state == .closed && breaker.admit(at: until) == .pass)
    }

    @Test func `each probe that fails doubles the pause, up to a bound`() throws {
        var (breaker, until) = try opened()
        var pauses: [Duration] = []
        for _ in 0..<8 {
            let now = until
            #expect(breaker.admit(at: now) == .probe)
            breaker.failed(wasProbe: true, at: now)
            guard case .open(let next) = breaker.state else { throw NotOpen() }
            pauses.append(next - now)
            until = next
        }
        #expect(pauses.map { $0.components.seconds } == [4, 8, 16, 32, 60, 60, 60, 60])
        #expect(breaker.admit(at: until) == .probe)
        breaker.succeeded(wasProbe: true, at: until)
        for _ in 0..<5 { breaker.failed(wasProbe: false, at: until) }
        #expect(breaker.state == .open(until: until + .seconds(2)))
    }

    @Test func `a probe that told nothing makes room for the next, and one that is lost too`() throws {
        var (breaker, until) = try opened()
        #expect(breaker.admit(at: until) == .probe)
        breaker.abandoned(wasProbe: true, at: until)
        #expect(breaker.admit(at: until) == .probe)
        #expect(breaker.admit(at: until + .seconds(59)) != .probe)
        #expect(breaker.admit(at: until + .seconds(60)) == .probe)
    }

    @Test func `whatever happens, at most one request goes to an upstream that is not trusted`() {
        var seeds = SystemRandomNumberGenerator()
        let seed = seeds.next()
        var random = SeededGenerator(seed: seed)
        var breaker = CircuitBreaker()
        var now = start
        var probes = 0
        for step in 0..<20_000 {
            now = now + .milliseconds(Int64.random(in: 0...400, using: &random))
            switch breaker.admit(at: now) {
            case .pass: #expect(breaker.state == .closed, "seed \(seed), step \(step)")
            case .probe: probes += 1
            case .refuse(let until):
                #expect(until > now, "seed \(seed), step \(step)")
                continue
            }
            let wasProbe = breaker.state != .closed
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<6: breaker.failed(wasProbe: wasProbe, at: now)
            case 6: breaker.abandoned(wasProbe: wasProbe, at: now)
            default: breaker.succeeded(wasProbe: wasProbe, at: now)
            }
        }
        #expect(probes > 10, "seed \(seed)")
    }
}
