import Base
import Chat
import Loop
import Providers
import TestKit
import Testing

@testable import Gateway

/// What becomes of an upstream that does much worse than another one with the same model.
struct OutlierTests {
    private static let completion =
        #"{"choices":[{"index":0,"message":{"role":"assistant","content":"honey"},"finish_reason":"stop"}]}"#

    private static func answer(_ status: String, _ body: String) -> String {
        "HTTP/1.1 \(status)\r\nContent-Type: application/json\r\nConnection: close\r\n"
            + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    /// One whose requests fail where `fails` says so; the number counts from 0.
    private static func script(
        _ name: String, _ asked: Locked<[String]>, fails: @escaping @Sendable (Int) -> Bool
    ) -> GatewayWorld.Script {
        { peer in
            guard let head = try await peer.head() else { return }
            let length = head.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }?
                .split(separator: " ").last
            _ = try await peer.read(length.flatMap { Int($0) } ?? 0)
            let turn = asked.withLock { asked in
                asked.append(name)
                return asked.count { $0 == name } - 1
            }
            try await peer.write(fails(turn) ? answer("500 Oops", "{}") : answer("200 OK", completion))
        }
    }

    /// Who was asked, request by request, of two upstreams of one provider of which one fails two times of five.
    private func asked(by count: Int) async throws -> (asked: [String], failing: String, statuses: Set<Int>) {
        let asked = Locked<[String]>([])
        let statuses = Locked<Set<Int>>([])
        // Which of the two comes first is chance: whoever is asked first is the one that fails.
        let failing = Locked<String?>(nil)
        func script(_ name: String) -> GatewayWorld.Script {
            Self.script(name, asked) { turn in
                let isFailing = failing.withLock { failing in
                    if failing == nil { failing = name }
                    return failing == name
                }
                return isFailing && turn % 5 > 2
            }
        }
        try await GatewayWorld.run(
            upstreams: ["a": script("a"), "b": script("b")], settings: { $0.name = "shared" },
            { world in
                let key = world.key()
                for _ in 0..<count {
                    let answer = try await world.complete("shared/x", key: key)
                    statuses.withLock { _ = $0.insert(answer.status) }
                }
            })
        return (asked.withLock { $0 }, try #require(failing.withLock { $0 }), statuses.withLock { $0 })
    }

    @Test func `its requests go to the other one, although it fails too seldom for the breaker`() async throws
    {
        let (asked, failing, statuses) = try await asked(by: 200)
        #expect(statuses == [200])
        #expect(asked.prefix(20).contains(failing) && asked.prefix(20).count { $0 == failing } > 10)
        // Once it is known, nobody waits for it any more.
        #expect(!asked.suffix(100).contains(failing))
        #expect(asked.count { $0 == failing } < 100)
    }

    private func upstream(_ name: String, owner: UUID? = nil) -> Upstream {
        var settings = Upstream.Settings(
            name: name, chat: OpenAIChatCodec(), baseURL: "http://127.0.0.1:1", keys: [Secret("k")])
        settings.owner = owner
        return Upstream(settings)
    }

    private func candidates(_ upstreams: [Upstream]) -> [Candidate] {
        upstreams.map { Candidate(id: "m", place: .upstream($0), target: ChatTarget(model: "m")) }
    }

    private func ask(_ upstream: Upstream, failing failures: Int, of count: Int, at now: Instant) throws {
        for turn in 0..<count {
            let permit = try upstream.admit(at: now)
            // Spread, so that the breaker stays closed.
            let fails = (turn + 1) * failures / count > turn * failures / count
            upstream.ended(
                permit, fails ? .failed("500") : .answered(timeToFirstToken: .milliseconds(9)), at: now)
        }
    }

    @Test func `one that was left out comes back after a while`() throws {
        let now = Instant(nanoseconds: 1_000_000_000_000)
        let (bad, good) = (upstream("bad"), upstream("good"))
        try ask(bad, failing: 40, of: 100, at: now)
        try ask(good, failing: 0, of: 40, at: now)
        let group = candidates([bad, good])
        ModelRouter.leaveOutliersOut(of: group, at: now)
        #expect(bad.health(at: now).isLeftOut && !good.health(at: now).isLeftOut)
        #expect(!bad.health(at: now + .seconds(30)).isLeftOut)
        ModelRouter.leaveOutliersOut(of: group, at: now + .seconds(30))
        #expect(!bad.health(at: now + .seconds(30)).isLeftOut)
    }

    @Test func `an organization's own upstreams say nothing of everybody's`() throws {
        let now = Instant(nanoseconds: 1_000_000_000_000)
        let (shared, own) = (upstream("shared"), upstream("own", owner: .make()))
        try ask(shared, failing: 40, of: 100, at: now)
        try ask(own, failing: 0, of: 100, at: now)
        ModelRouter.leaveOutliersOut(of: candidates([own, shared]), at: now)
        #expect(!shared.health(at: now).isLeftOut)
    }

    @Test func `one whose only peer takes no requests is not left out`() throws {
        let now = Instant(nanoseconds: 1_000_000_000_000)
        let (bad, down) = (upstream("bad"), upstream("down"))
        try ask(bad, failing: 40, of: 100, at: now)
        try ask(down, failing: 0, of: 100, at: now)
        for _ in 0..<200 {
            guard let permit = try? down.admit(at: now) else { break }
            down.ended(permit, .failed("500"), at: now)
        }
        ModelRouter.leaveOutliersOut(of: candidates([bad, down]), at: now)
        #expect(!bad.health(at: now).isLeftOut)
    }

    @Test func `one that is left out is asked before one that takes no requests, and after all others`() {
        let upstreams = ["out", "closed", "good"].map { upstream($0) }
        let plan = RoutePlan.order([candidates(upstreams)], by: RoutePolicy()) { candidate in
            RoutePlan.Fitness(isOpen: candidate.provider != "closed", isLeftOut: candidate.provider == "out")
        }
        #expect(plan.map(\.provider) == ["good", "out", "closed"])
    }
}
