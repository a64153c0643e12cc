import Base
import Catalog
import Chat
import Gateway
import Loop
import Providers
import TestKit
import Testing

/// One line of the journal for each request, which can be read back.
@Suite struct UsageEventTests {
    private static let at = Timestamp(microseconds: 1_800_000_000_123_456)

    private static func event(_ change: (inout UsageEvent) -> Void = { _ in }) -> UsageEvent {
        UsageEvent(
            id: .make(), requestID: "req_1", organization: .make(), user: .make(), key: .make(),
            endpoint: "createMessage", model: "sonnet", at: at,
            attempts: [
                UsageEvent.Attempt(
                    provider: "anthropic", model: "anthropic/claude-sonnet-5", started: at,
                    latency: .microseconds(1_500_000), outcome: .answered, cost: 54_399_000
                ) {
                    $0.usage = ChatUsage(input: 3, cacheWrite: 12_304, output: 550)
                    $0.timeToFirstToken = .microseconds(300_000)
                    $0.priceFrom = Timestamp(seconds: 1_785_542_400)
                }
            ], change)
    }

    @Test func `a line says what was used, what it cost and who pays it, and nothing that is not`() throws {
        let limit = UUID.make()
        let event = Self.event {
            $0.charges = [UsageEvent.Charge(limit: limit, nanodollars: 54_399_000)]
            ($0.cache, $0.isDirect) = ("MISS", true)
        }
        #expect(
            String(decoding: event.encoded(), as: UTF8.self)
                == """
                {"v":1,"id":"\(event.id)","request":"req_1","organization":"\(event.organization)",\
                "user":"\(event.user)","key":"\(event.key)","endpoint":"createMessage","model":"sonnet",\
                "at":1800000000123456,"attempts":[{"provider":"anthropic","model":"anthropic/claude-sonnet-5",\
                "started":1800000000123456,"latency":1500000,"first_token":300000,"outcome":"answered",\
                "tokens":{"input":3,"cache_write":12304,"output":550},"price":1785542400000000,"cost":54399000}],\
                "cost":54399000,"charges":[{"limit":"\(limit)","nano":54399000}],"cache":"MISS","direct":true}
                """)
        #expect(try UsageEvent(journal: event.encoded()) == event)
        let bare = Self.event { $0.attempts = [] }
        #expect(try UsageEvent(journal: bare.encoded()) == bare)
    }

    @Test func `whatever an event says is read back as it was`() throws {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        func below(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }
        func maybe<Value>(_ value: Value) -> Value? { below(2) == 0 ? nil : value }
        let texts = ["", "a", "é\u{1F41D}", "\"\\\n", "acme/one:free", "0"]
        for round in 0..<500 {
            let event = Self.event { event in
                event.model = texts[below(texts.count)]
                (event.cache, event.isDirect) = (maybe(texts[below(texts.count)]), below(2) == 0)
                event.charges = (0..<below(3)).map { _ in
                    UsageEvent.Charge(limit: .make(), nanodollars: Int64(below(1 << 60)))
                }
                event.attempts = (0..<below(4)).map { _ in
                    UsageEvent.Attempt(
                        provider: texts[below(texts.count)], model: texts[below(texts.count)],
                        started: Timestamp(microseconds: Int64(below(1 << 50))),
                        latency: .microseconds(below(1 << 40)),
                        outcome: AttemptReport.Outcome.allCases[below(3)], cost: maybe(Int64(below(1 << 60)))
                    ) { attempt in
                        attempt.isOwnKey = below(2) == 0
                        attempt.timeToFirstToken = maybe(.microseconds(below(1 << 30)))
                        attempt.fault = maybe(texts[below(texts.count)])
                        attempt.imageCount = below(3)
                        attempt.priceFrom = maybe(Timestamp(microseconds: Int64(below(1 << 50)) - (1 << 49)))
                        guard below(3) > 0 else { return }
                        var usage = ChatUsage()
                        for kind in TokenKind.allCases where below(2) == 0 {
                            kind.set(below(1 << 40), in: &usage)
                        }
                        usage.isEstimated = below(2) == 0
                        attempt.usage = usage
                    }
                }
            }
            #expect(try UsageEvent(journal: event.encoded()) == event, "seed \(seed), round \(round)")
        }
    }

    @Test func `a line that is cut off, or not what was written, is refused`() throws {
        let event = Self.event { $0.charges = [UsageEvent.Charge(limit: .make(), nanodollars: 1)] }
        let line = event.encoded()
        for length in stride(from: 0, to: line.count, by: 7) {
            #expect(throws: UsageEvent.Unreadable.self) { try UsageEvent(journal: Array(line[..<length])) }
        }
        let text = String(decoding: line, as: UTF8.self)
        let changes = [
            (#""v":1"#, #""v":2"#), (#""cost":54399000}"#, #""cost":54399001}"#),
            (#""input":3"#, #""input":3.5"#), (#""input":3"#, #""inputs":3"#), (#""at":"#, #""when":"#),
            (#""outcome":"answered""#, #""outcome":"lost""#), (#""nano":1"#, #""nano":-1"#),
            (#""nano":1"#, #""nano":"1""#), (#""request":"req_1""#, #""request":null"#),
            (#""key":""#, #""key":"x"#), (#""model":"sonnet""#, #""model":"sonnet","model":"opus""#),
            (#""started""#, #""estimate":true,"started""#), (#""cost":54399000,"charges""#, #""charges""#),
        ]
        for (old, new) in changes {
            let changed = text.replacing(old, with: new, maxReplacements: 1)
            #expect(changed != text)
            #expect(throws: UsageEvent.Unreadable.self, "\(new)") {
                try UsageEvent(journal: Array(changed.utf8))
            }
        }
    }

    @Test func `sums that no request can cost stay amounts`() throws {
        let most = ModelPrice.mostNanodollars
        let event = Self.event { event in
            event.attempts = Array(repeating: event.attempts[0], count: 4)
            for place in event.attempts.indices { event.attempts[place].cost = most }
            event.attempts[3].cost = nil
        }
        #expect(event.cost == most && !event.isWhollyPriced)
        #expect(try UsageEvent(journal: event.encoded()) == event)
    }

    // MARK: Of requests

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
        let note: Gateway.EndOfCall = { event in events.withLock { $0.append(event) } }
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
        #expect(try UsageEvent(journal: event.encoded()).attempts.count == 2)
    }

    @Test func `what has no known price costs nobody knows what, and the sandbox nothing`() async throws {
        let unpriced = try await Self.events(of: "two/unpriced", answering: ["two": Self.answer])
        let event = try #require(unpriced.first)
        #expect(event.attempts.count == 1 && event.attempts[0].cost == nil && !event.isWhollyPriced)
        let free = try #require(try await Self.events(of: "sandbox/echo", answering: [:]).first)
        #expect(free.attempts.count == 1 && free.attempts[0].cost == 0 && free.isWhollyPriced)
    }
}
