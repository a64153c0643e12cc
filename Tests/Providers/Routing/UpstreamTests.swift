import Base
import Testing

@testable import Providers

struct UpstreamTests {
    private let start = Instant(nanoseconds: 1_000_000_000_000)

    private func upstream(keys: String...) -> Upstream {
        Upstream(
            .init(
                name: "x", chat: OpenAIChatCodec(), baseURL: "http://127.0.0.1:1/",
                keys: keys.map(Secret.init)))
    }

    @Test func `keys take turns, and one that was refused is left out`() throws {
        let upstream = upstream(keys: "a", "b", "c")
        func next() throws -> (Upstream.Permit, String) {
            let permit = try upstream.admit(at: start)
            return (permit, permit.key?.reveal() ?? "")
        }
        var used: [String] = []
        for _ in 0..<6 {
            let (permit, key) = try next()
            used.append(key)
            upstream.ended(permit, .answered(timeToFirstToken: .milliseconds(5)), at: start)
        }
        #expect(used == ["a", "b", "c", "a", "b", "c"])
        let (refused, _) = try next()
        upstream.ended(refused, .keyRefused, at: start)
        used = []
        for _ in 0..<4 {
            let (permit, key) = try next()
            used.append(key)
            upstream.ended(permit, .told, at: start)
        }
        #expect(used == ["b", "c", "b", "c"])
    }

    @Test func `a limited key rests as long as it was told, and then comes back`() throws {
        let upstream = upstream(keys: "a")
        let until = start + .seconds(7)
        upstream.ended(try upstream.admit(at: start), .keyLimited(until: until), at: start)
        #expect(throws: Upstream.Refusal.limited(until: until)) { try upstream.admit(at: start) }
        #expect(throws: Upstream.Refusal.limited(until: until)) {
            try upstream.admit(at: until + .nanoseconds(-1))
        }
        #expect(try upstream.admit(at: until).key?.reveal() == "a")
    }

    @Test func `a key that was refused comes back after a while, and the last one is never left out`() throws
    {
        let upstream = upstream(keys: "a", "b")
        for _ in 0..<5 { upstream.ended(try upstream.admit(at: start), .keyRefused, at: start) }
        #expect(upstream.health(at: start).readyKeys == 1)
        #expect(try upstream.admit(at: start).key?.reveal() == "b")
        #expect(upstream.health(at: start + KeyRotation.retirement).readyKeys == 2)
    }

    @Test func `an upstream that fails is asked no more, and requests do not pile up there`() throws {
        let upstream = upstream(keys: "a")
        var asked = 0
        for _ in 0..<1000 {
            do throws(Upstream.Refusal) {
                upstream.ended(try upstream.admit(at: start), .failed("down"), at: start)
                asked += 1
            } catch {
                #expect(error == .failing(until: start + .seconds(2)))
            }
        }
        #expect(asked == 5)
        #expect(upstream.health(at: start).underWay == 0)
        #expect(upstream.health(at: start).lastFault == "down")
    }

    @Test func `retries are a tenth of requests`() throws {
        let upstream = upstream(keys: "a")
        var retries = 0
        for _ in 0..<1000 {
            upstream.ended(try upstream.admit(at: start), .told, at: start)
            while upstream.mayRetry() { retries += 1 }
        }
        #expect((100...103).contains(retries))
    }

    @Test func `without a key there is none to show`() throws {
        let upstream = Upstream(
            .init(
                name: "x", chat: OpenAIChatCodec(), baseURL: "http://h", authorization: .none, keys: []))
        #expect(try upstream.admit(at: start).key == nil)
        #expect(upstream.settings.authorizationFields(key: nil).isEmpty)
    }
}
