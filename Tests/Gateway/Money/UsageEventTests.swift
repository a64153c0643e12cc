import Base
import Catalog
import Chat
import Gateway
import Loop
import Metering
import Providers
import TestKit
import Testing

/// What is noted of each call.
@Suite struct UsageEventTests {
    private static let catalog = SharedCatalog([
        CatalogModel("one", "priced") {
            $0.prices = [
                ModelPrice(from: Timestamp(seconds: 1), input: 3_000_000, output: 15_000_000) {
                    $0.cacheRead = 300_000
                }
            ]
        },
        CatalogModel("two", "unpriced"),
    ])

    private static func script(_ answer: String?) -> GatewayWorld.Script {
        { peer in
            while let head = try await peer.head() {
                let length = head.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }?
                    .split(separator: " ").last.flatMap { Int($0) }
                _ = try await peer.read(length ?? 0)
                let body = answer ?? #"{"error":{"message":"busy"}}"#
                try await peer.write(
                    "HTTP/1.1 \(answer == nil ? "503 Busy" : "200 OK")\r\nContent-Type: application/json\r\n"
                        + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
            }
        }
    }

    private static let answer =
        #"{"choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"#
        + #""usage":{"prompt_tokens":1000,"completion_tokens":10,"prompt_tokens_details":{"cached_tokens":400}}}"#

    private static func events(
        of model: String, _ more: String = "", answering: [String: String?]
    ) async throws -> [UsageEvent] {
        let events = Locked<[UsageEvent]>([])
        var limits = Gateway.Limits()
        limits.repetitions = 0
        let note: GatewayWorld.EndOfCall = { event in events.withLock { $0.append(event) } }
        try await GatewayWorld.run(
            upstreams: answering.mapValues { script($0) }, catalog: catalog, limits: limits, beforeEnd: note
        ) { world in
            _ = try await world.complete(model, key: world.key(), more)
        }
        return events.withLock { $0 }
    }

    @Test func `a request's event has each attempt with its price and its cost`() async throws {
        let events = try await Self.events(
            of: "two/unpriced", #","models":["one/priced"]"#, answering: ["one": Self.answer, "two": nil])
        let event = try #require(events.first)
        #expect(events.count == 1 && event.model == "two/unpriced" && event.charges.isEmpty)
        #expect(event.endpoint == "createChatCompletion")
        #expect(event.attempts.map(\.provider) == ["two", "one"])
        let (failed, answered) = (event.attempts[0], event.attempts[1])
        #expect(failed.outcome == .failed && failed.fault == "provider_unavailable")
        #expect(failed.usage == nil && failed.cost == 0 && failed.priceFrom == nil)
        #expect(answered.outcome == .answered && answered.fault == nil)
        #expect(answered.usage == ChatUsage(input: 600, cacheRead: 400, output: 10))
        #expect(answered.priceFrom == Timestamp(seconds: 1))
        // 600 at 3, 400 at 0.3 and 10 at 15 dollars for a million.
        #expect(answered.cost == 2_070_000 && event.cost == 2_070_000)
        #expect(failed.started <= answered.started && answered.started <= event.at)
    }

    @Test func `what has no known price costs nobody knows what, and the sandbox nothing`() async throws {
        let unpriced = try await Self.events(of: "two/unpriced", answering: ["two": Self.answer])
        let event = try #require(unpriced.first)
        #expect(event.attempts.count == 1 && event.attempts[0].cost == nil && !event.isWhollyPriced)
        let free = try #require(try await Self.events(of: "sandbox/echo", answering: [:]).first)
        #expect(free.attempts.count == 1 && free.attempts[0].cost == 0 && free.isWhollyPriced)
    }
}
