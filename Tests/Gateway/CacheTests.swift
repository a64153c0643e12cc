import Base
import Cache
import Gateway
import HTTPClient
import Identity
import JSON
import Loop
import Providers
import TestKit
import Testing

/// What a client notices of answers that are kept.
@Suite struct CacheTests {
    /// Runs `body` with a gateway that keeps answers, and an upstream that numbers its own.
    private static func run(
        _ script: @escaping GatewayWorld.Script,
        _ body: @escaping @Sendable (GatewayWorld) async throws -> Void
    ) async throws {
        try await onLoop { loop in
            try await PrivateRedis.with(on: loop) { redis in
                var limits = Gateway.Limits()
                limits.cachePolicy.isEnabled = true
                try await GatewayWorld.run(
                    upstreams: ["openai": script], limits: limits, redis: redis, body)
            }
        }
    }

    /// An upstream that says how many requests came before, whole or as a stream.
    private static func counting(finish: String = "stop", _ asked: Locked<Int>) -> GatewayWorld.Script {
        { peer in
            guard let body = try await requestBody(peer) else { return }
            let number = asked.withLock { count in
                defer { count += 1 }
                return count
            }
            if body.contains(#""stream":true"#) {
                let chunks = ["answer ", "\(number)"].map { piece in
                    #"data: {"id":"c\#(number)","choices":[{"index":0,"delta":{"content":"\#(piece)"}}]}"#
                        + "\n\n"
                }
                let end = """
                    data: {"id":"c\(number)","choices":[{"index":0,"delta":{},"finish_reason":"\(finish)"}]}

                    data: {"id":"c\(number)","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2}}

                    data: [DONE]


                    """
                try await peer.write(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
                        + chunks.joined() + end)
            } else {
                let answer =
                    #"{"id":"c\#(number)","choices":[{"index":0,"message":{"role":"assistant","content":"answer \#(number)"},"#
                    + #""finish_reason":"\#(finish)"}],"usage":{"prompt_tokens":5,"completion_tokens":2}}"#
                try await peer.write(
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
                        + "Content-Length: \(answer.utf8.count)\r\n\r\n\(answer)")
            }
        }
    }

    private static func requestBody(_ peer: ScriptedUpstream.Peer) async throws -> String? {
        guard let head = try await peer.head() else { return nil }
        let length = head.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }?
            .split(separator: " ").last
        let bytes = try await peer.read(length.flatMap { Int($0) } ?? 0)
        return bytes.map { String(decoding: $0, as: UTF8.self) }
    }

    private static func ask(
        _ world: GatewayWorld, _ key: String, _ body: String,
        _ fields: [(name: String, value: String)] = []
    ) async throws -> GatewayWorld.Answer {
        let answer = try await world.send(
            "POST", "/v1/chat/completions", [("Authorization", "Bearer \(key)")] + fields, body: body)
        // What is kept is kept a moment later.
        try await world.loop.sleep(for: .milliseconds(20))
        return answer
    }

    private static let question = #"{"model":"openai/m","messages":[{"role":"user","content":"hi"}]}"#

    @Test func `the same question is answered once, byte for byte, and the age is told`() async throws {
        let asked = Locked(0)
        try await Self.run(Self.counting(asked)) { world in
            let key = world.key()
            let first = try await Self.ask(world, key, Self.question)
            #expect(first.status == 200, "\(first.text)")
            #expect(first["x-cache"] == "MISS")
            let second = try await Self.ask(world, key, Self.question)
            #expect(second["x-cache"] == "HIT")
            #expect(second["age"] == "0")
            #expect(second["x-hivegate-provider"] == "openai")
            #expect(second["x-hivegate-attempts"] == "0")
            #expect(second.body == first.body)
            // Another spelling.
            let third = try await Self.ask(
                world, key, #"{ "messages" : [{"content":"\u0068i","role":"user"}], "model":"openai/m" }"#)
            #expect(third["x-cache"] == "HIT")
            #expect(asked.withLock { $0 } == 1)
            let other = try await Self.ask(
                world, key, #"{"model":"openai/m","messages":[{"role":"user","content":"ho"}]}"#)
            #expect(other["x-cache"] == "MISS")
            #expect(asked.withLock { $0 } == 2)
        }
    }

    @Test func `two organizations never share an answer`() async throws {
        let asked = Locked(0)
        try await Self.run(Self.counting(asked)) { world in
            for number in 0..<2 {
                let answer = try await Self.ask(world, world.key(), Self.question)
                #expect(answer.text.contains("answer \(number)"))
            }
            #expect(asked.withLock { $0 } == 2)
        }
    }

    @Test func `a stream and a whole answer are made of one another`() async throws {
        let asked = Locked(0)
        try await Self.run(Self.counting(asked)) { world in
            let key = world.key()
            let plain = #"{"model":"openai/m","messages":[{"role":"user","content":"hi"}]"#
            let streamed = try await Self.ask(world, key, plain + #","stream":true}"#)
            #expect(streamed["x-cache"] == "MISS")
            let again = try await Self.ask(world, key, plain + #","stream":true}"#)
            #expect(again["x-cache"] == "HIT")
            #expect(again.body == streamed.body)
            let whole = try await Self.ask(world, key, plain + "}")
            #expect(whole["x-cache"] == "HIT")
            let document = try JSONDocument(parsing: whole.body)
            #expect(document["choices"]?.element(0)?["message"]?["content"]?.string == "answer 0")
            #expect(document["usage"]?["completion_tokens"]?.int == 2)
            let withUsage = try await Self.ask(
                world, key, plain + #","stream":true,"stream_options":{"include_usage":true}}"#)
            #expect(withUsage["x-cache"] == "HIT")
            #expect(withUsage.text.contains("completion_tokens"))
            #expect(!again.text.contains("completion_tokens"))
            #expect(asked.withLock { $0 } == 1)
            // The other way round.
            let question = #"{"model":"openai/m","messages":[{"role":"user","content":"ho"}]"#
            _ = try await Self.ask(world, key, question + "}")
            let stream = try await Self.ask(world, key, question + #","stream":true}"#)
            #expect(stream["x-cache"] == "HIT")
            #expect(stream.text.contains("answer 1") && stream.text.hasSuffix("data: [DONE]\n\n"))
        }
    }

    /// Such answers name the request and the time that they were made for.
    @Test func `what is made here, and not passed on, is said again as it was`() async throws {
        let asked = Locked(0)
        try await Self.run(Self.counting(asked)) { world in
            let key = world.key()
            let messages = #""messages":[{"role":"user","content":"hi"}]"#
            let questions = [
                ("/v1/messages", #""max_tokens":100,"# + messages), ("/v1/responses", #""input":"hi""#),
                ("/api/v1/generate", messages),
            ]
            for (path, question) in questions {
                for isStreaming in [false, true] {
                    let user = isStreaming ? "a" : "b"
                    let body = question.replacing("hi", with: user) + ",\"stream\":\(isStreaming)"
                    var answers: [GatewayWorld.Answer] = []
                    for _ in 0..<2 {
                        answers.append(
                            try await world.send(
                                "POST", path, [("Authorization", "Bearer \(key)")],
                                body: "{\"model\":\"openai/m\",\(body)}"))
                        // Into the next second, which some of them tell.
                        try await world.loop.sleep(for: .milliseconds(1010))
                    }
                    #expect(answers.map { $0["x-cache"] } == ["MISS", "HIT"], "\(answers[0].text)")
                    #expect(answers[0].body == answers[1].body, "\(answers.map(\.text))")
                }
            }
            #expect(asked.withLock { $0 } == 6)
        }
    }

    @Test func `a request says what it wants of the cache`() async throws {
        let asked = Locked(0)
        try await Self.run(Self.counting(asked)) { world in
            let key = world.key()
            let missing = try await Self.ask(
                world, key, Self.question, [("Cache-Control", "only-if-cached")])
            #expect(missing.status == 504)
            #expect(missing.code == "not_cached")
            #expect(try await Self.ask(world, key, Self.question).text.contains("answer 0"))
            let kept = try await Self.ask(world, key, Self.question, [("Cache-Control", "only-if-cached")])
            #expect(kept["x-cache"] == "HIT")
            let fresh = try await Self.ask(world, key, Self.question, [("Cache-Control", "no-cache")])
            #expect(fresh["x-cache"] == "BYPASS")
            #expect(fresh.text.contains("answer 1"))
            // It has taken the place of the one before.
            #expect(try await Self.ask(world, key, Self.question).text.contains("answer 1"))
            let off = try await Self.ask(world, key, Self.question, [("X-Hivegate-Cache", "off")])
            #expect(off.text.contains("answer 2"))
            let secret = try await Self.ask(world, key, Self.question, [("Cache-Control", "no-store")])
            #expect(secret.text.contains("answer 3"))
            #expect(try await Self.ask(world, key, Self.question).text.contains("answer 1"))
            let young = try await Self.ask(world, key, Self.question, [("Cache-Control", "max-age=0")])
            #expect(young.text.contains("answer 4"))
        }
    }

    @Test func `an answer tells its key, the same for the same question, where the cache has part in it`()
        async throws
    {
        let asked = Locked(0)
        try await Self.run(Self.counting(asked)) { world in
            let key = world.key()
            let miss = try await Self.ask(world, key, Self.question)
            let name = try #require(miss["x-cache-key"])
            #expect(CacheKey(text: name)?.text == name && name.utf8.count == 43)
            #expect(try await Self.ask(world, key, Self.question)["x-cache-key"] == name)
            let fresh = try await Self.ask(world, key, Self.question, [("Cache-Control", "no-cache")])
            #expect(fresh["x-cache"] == "BYPASS" && fresh["x-cache-key"] == name)
            let off = try await Self.ask(world, key, Self.question, [("X-Hivegate-Cache", "off")])
            #expect(off["x-cache"] == "BYPASS" && off["x-cache-key"] == nil)
            #expect(try await Self.ask(world, world.key(), Self.question)["x-cache-key"] != name)
            let counted = ["hit": 1, "miss": 2, "bypass": 2, "stored": 3, "coalesced": 0]
            let page = String(decoding: world.metrics.render(), as: UTF8.self)
            for (outcome, count) in counted {
                #expect(page.contains("hivegate_cache_total{outcome=\"\(outcome)\"} \(count)\n"), "\(page)")
            }
        }
    }

    @Test func `what a filter has ended is kept for nobody`() async throws {
        let asked = Locked(0)
        try await Self.run(Self.counting(finish: "content_filter", asked)) { world in
            let key = world.key()
            for number in 0..<2 {
                let answer = try await Self.ask(world, key, Self.question)
                #expect(answer["x-cache"] == "MISS")
                #expect(answer.text.contains("answer \(number)"))
            }
        }
    }

    @Test func `a hit takes a request and no token`() async throws {
        let asked = Locked(0)
        try await Self.run(Self.counting(asked)) { world in
            let key = world.key(limits: #"{"requests_per_day":3,"tokens_per_day":5000}"#)
            let body = #"{"model":"openai/m","messages":[{"role":"user","content":"hi"}],"max_tokens":20}"#
            _ = try await Self.ask(world, key, body)
            _ = try await Self.ask(world, key, body)
            let third = try await Self.ask(world, key, body)
            #expect(third["x-cache"] == "HIT")
            #expect(third["x-ratelimit-remaining-requests"] == "0")
            let refused = try await Self.ask(world, key, body)
            #expect(refused.status == 429)
            // Seven for the first answer, and nothing is reserved for what was refused.
            #expect(refused["x-ratelimit-remaining-tokens"] == "4993")
        }
    }

    @Test
    func `who asks the same again and again takes a request each time, whatever has become of the answer`()
        async throws
    {
        let asked = Locked(0)
        try await Self.run(Self.counting(asked)) { world in
            let key = world.key(limits: #"{"requests_per_day":12}"#)
            var outcomes: [String] = []
            for number in 0..<12 {
                if number == 5 { try await world.removeEntries() }
                if number == 8 { try await world.damageEntries() }
                let answer = try await Self.ask(world, key, Self.question)
                #expect(answer.status == 200, "\(answer.text)")
                #expect(answer["x-ratelimit-remaining-requests"] == "\(11 - number)")
                outcomes.append(answer["x-cache"] ?? "")
            }
            let hits = ["HIT", "HIT", "HIT", "HIT"]
            #expect(outcomes == ["MISS"] + hits + ["MISS", "HIT", "HIT", "MISS", "HIT", "HIT", "HIT"])
            #expect(asked.withLock { $0 } == 3)
            #expect(try await Self.ask(world, key, Self.question).status == 429)
        }
    }

    @Test func `an answer that has taken another's place is the one that is given`() async throws {
        let asked = Locked(0)
        try await Self.run(Self.counting(asked)) { world in
            let key = world.key()
            for round in 0..<3 {
                for _ in 0..<4 {
                    let answer = try await Self.ask(world, key, Self.question)
                    #expect(answer.text.contains("answer \(round)"))
                    #expect(
                        answer["x-hivegate-provider"] == "openai"
                            && answer["content-type"] == "application/json")
                }
                _ = try await Self.ask(world, key, Self.question, [("Cache-Control", "no-cache")])
            }
        }
    }

    @Test func `those who take turns on one connection each get their own answer, and what they wished for`()
        async throws
    {
        let asked = Locked(0)
        try await Self.run(Self.counting(asked)) { world in
            let keys = [world.key(), world.key()]
            for key in keys { for _ in 0..<4 { _ = try await Self.ask(world, key, Self.question) } }
            for _ in 0..<3 {
                for (number, key) in keys.enumerated() {
                    for _ in 0..<2 {
                        let kept = try await Self.ask(world, key, Self.question)
                        #expect(kept["x-cache"] == "HIT" && kept.text.contains("answer \(number)"))
                    }
                    let unkept = try await Self.ask(
                        world, key, Self.question, [("Cache-Control", "no-store")])
                    #expect(unkept["x-cache"] == "BYPASS")
                    let alone = try await Self.ask(world, key, Self.question, [("X-Hivegate-Cache", "off")])
                    #expect(alone["x-cache"] == "BYPASS")
                }
            }
            #expect(asked.withLock { $0 } == 14)
        }
    }

    @Test func `those who ask the same in turn are each counted by the limits of their own key`() async throws
    {
        let asked = Locked(0)
        try await Self.run(Self.counting(asked)) { world in
            let organization = UUID.make()
            let keys = [10, 100].map {
                world.key(of: organization, limits: #"{"requests_per_day":\#($0)}"#)
            }
            for round in 1...10 {
                for (key, limit) in zip(keys, [10, 100]) {
                    let answer = try await Self.ask(world, key, Self.question)
                    #expect(answer["x-ratelimit-remaining-requests"] == "\(limit - round)")
                }
            }
            #expect(try await Self.ask(world, keys[0], Self.question).status == 429)
            #expect(try await Self.ask(world, keys[1], Self.question)["x-cache"] == "HIT")
            #expect(asked.withLock { $0 } == 1)
        }
    }

    @Test
    func `an answer is not given where nobody can be asked any more, to those too who ask again and again`()
        async throws
    {
        let asked = Locked(0)
        try await Self.run(Self.counting(asked)) { world in
            let key = world.key(limits: #"{"requests_per_day":1000}"#)
            let settings = world.directory.snapshot.upstreams.map(\.settings)
            for round in 0..<3 {
                for number in 0..<4 {
                    let answer = try await Self.ask(world, key, Self.question)
                    #expect(answer["x-cache"] == (round + number == 0 ? "MISS" : "HIT"))
                }
                world.directory.replace([], from: .environment)
                #expect(try await Self.ask(world, key, Self.question).status == 404)
                world.directory.replace(settings, from: .environment)
            }
            #expect(asked.withLock { $0 } == 1)
        }
    }

    @Test func `a key that is nobody's any more, or may do less, gets no answer that is kept`() async throws {
        let asked = Locked(0)
        try await Self.run(Self.counting(asked)) { world in
            let organization = UUID.make()
            let key = world.key(of: organization)
            for _ in 0..<4 { _ = try await Self.ask(world, key, Self.question) }
            let reader = world.key(scopes: [], of: organization)
            let elsewhere = world.key(models: AllowedModels(["other/m"]), of: organization)
            for _ in 0..<2 {
                #expect(try await Self.ask(world, reader, Self.question).code == "missing_scope")
                #expect(try await Self.ask(world, elsewhere, Self.question).status >= 400)
            }
            world.revokeAll()
            // As long as a key is taken for what it was without Redis saying otherwise.
            try await world.loop.sleep(for: KeyRing.Limits().freshness)
            #expect(try await Self.ask(world, key, Self.question).code == "invalid_api_key")
            #expect(asked.withLock { $0 } == 1)
        }
    }

    @Test func `a damaged entry is a miss, and overwritten`() async throws {
        let asked = Locked(0)
        try await Self.run(Self.counting(asked)) { world in
            let key = world.key()
            _ = try await Self.ask(world, key, Self.question)
            try await world.damageEntries()
            #expect(try await Self.ask(world, key, Self.question).text.contains("answer 1"))
            #expect(try await Self.ask(world, key, Self.question)["x-cache"] == "HIT")
        }
    }
}
