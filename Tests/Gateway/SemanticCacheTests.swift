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

/// What a client notices where its organization wishes to be answered with what was said to others who meant the same.
@Suite struct SemanticCacheTests {
    /// What the upstream was asked, and how its vectors fare.
    private struct Scene {
        let chats = Locked(0)
        let vectors = Locked(0)
        /// What is said of vectors instead; nil: vectors.
        let failure = Locked<String?>(nil)
        /// Whether vectors have to wait.
        let isHeld = Locked(false)
    }

    private static func run(
        _ body: @escaping @Sendable (GatewayWorld, Scene, PrivateRedis) async throws -> Void
    ) async throws {
        let scene = Scene()
        try await onLoop { loop in
            try await PrivateRedis.with(on: loop) { redis in
                var limits = Gateway.Limits()
                limits.repetitions = 0
                limits.semanticCacheModel = "openai/vectors"
                limits.semanticPatience = .milliseconds(600)
                try await GatewayWorld.run(
                    upstreams: ["openai": upstream(scene)], limits: limits, redis: redis,
                    settings: { $0.embeddings = OpenAIEmbeddingCodec() }
                ) { world in try await body(world, scene, redis) }
            }
        }
    }

    /// Numbers its answers. What it is asked to compare lies as near to "~1" as the number behind its last `~` says.
    private static func upstream(_ scene: Scene) -> GatewayWorld.Script {
        { peer in
            guard let head = try await peer.head() else { return }
            let length = head.split(separator: "\r\n").first {
                $0.lowercased().hasPrefix("content-length: ")
            }?
            .split(separator: " ").last.flatMap { Int($0) }
            let body = String(decoding: try await peer.read(length ?? 0) ?? [], as: UTF8.self)
            if head.contains("/embeddings") {
                scene.vectors.withLock { $0 += 1 }
                while scene.isHeld.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(5)) }
                if let failure = scene.failure.withLock({ $0 }) {
                    if failure.isEmpty { try await Task.sleep(for: .seconds(2)) }
                    return try await peer.write(failure)
                }
                let number = body.split(separator: "~").last?.prefix { "0123456789.".contains($0) } ?? "1"
                let cosine = Double(String(number)) ?? 1
                let rest = (1 - cosine * cosine).squareRoot()
                return try await answer(
                    #"{"data":[{"index":0,"embedding":[\#(cosine),\#(rest),0.0]}],"usage":{"prompt_tokens":4,"total_tokens":4}}"#,
                    peer)
            }
            let number = scene.chats.withLock { count in
                defer { count += 1 }
                return count
            }
            guard body.contains(#""stream":true"#) else {
                return try await answer(
                    #"{"choices":[{"index":0,"message":{"role":"assistant","content":"answer \#(number)"},"#
                        + #""finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":2}}"#,
                    peer)
            }
            try await peer.write(
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
                    + #"data: {"choices":[{"index":0,"delta":{"content":"answer \#(number)"}}]}"# + "\n\n"
                    + #"data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#
                    + "\n\ndata: [DONE]\n\n")
        }
    }

    private static func answer(_ body: String, _ peer: ScriptedUpstream.Peer) async throws {
        try await peer.write(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
                + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
    }

    private static func key(
        _ world: GatewayWorld, of organization: UUID = .make(), models: AllowedModels? = nil,
        _ semantic: String = #""threshold":0.95,"turns":2"#
    ) -> String {
        let policy = #"{"enabled":true,"semantic":{"enabled":true,\#(semantic)}}"#
        return world.key(
            models: models, of: organization, terms: OrganizationTerms(cachePolicy: Array(policy.utf8)))
    }

    private static func body(_ text: String, _ more: String = "", system: String = "Be brief.") -> String {
        #"{"model":"openai/m","messages":[{"role":"system","content":"\#(system)"},{"role":"user","content":"\#(text)"}]\#(more)}"#
    }

    private static func ask(
        _ world: GatewayWorld, _ key: String, _ body: String,
        _ fields: [(name: String, value: String)] = [], path: String = "/v1/chat/completions"
    ) async throws -> GatewayWorld.Answer {
        let answer = try await world.send(
            "POST", path, [("Authorization", "Bearer \(key)")] + fields, body: body)
        #expect(answer.status == 200, "\(answer.text)")
        // What is kept is kept a moment later, and compared with a moment after that.
        try await world.loop.sleep(for: .milliseconds(40))
        return answer
    }

    @Test func `who asks the same in other words is answered with what was said, and told how near it is`()
        async throws
    {
        try await Self.run { world, scene, _ in
            let reports = Locked<[AttemptReport.Kind]>([])
            world.onReport = { report in reports.withLock { $0.append(report.kind) } }
            let key = Self.key(world)
            let first = try await Self.ask(world, key, Self.body("one ~1"))
            #expect(first["x-cache"] == "MISS" && first["x-cache-similarity"] == nil)
            let near = try await Self.ask(world, key, Self.body("two ~0.97386"))
            #expect(near["x-cache"] == "SEMANTIC")
            #expect(near["x-cache-similarity"] == "0.973")
            #expect(near["age"] == "0")
            #expect(near["x-hivegate-provider"] == "openai" && near["x-hivegate-attempts"] == "0")
            #expect(near.body == first.body)
            // It is that answer which can be deleted by its name.
            #expect(near["x-cache-key"] == first["x-cache-key"])
            #expect(scene.chats.withLock { $0 } == 1)
            #expect(reports.withLock { $0 } == [.chat, .embedding, .embedding])
            let page = String(decoding: world.metrics.render(), as: UTF8.self)
            for (outcome, count) in ["semantic": 1, "miss": 1, "hit": 0] {
                #expect(page.contains("hivegate_cache_total{outcome=\"\(outcome)\"} \(count)\n"))
            }
            let stream = try await Self.ask(world, key, Self.body("three ~0.98", #","stream":true"#))
            #expect(stream["x-cache"] == "SEMANTIC")
            #expect(stream.text.contains("answer 0") && stream.text.hasSuffix("data: [DONE]\n\n"))
            // The other way round.
            _ = try await Self.ask(world, key, Self.body("a ~0.5", #","stream":true"#))
            let whole = try await Self.ask(world, key, Self.body("b ~0.5"))
            #expect(whole["x-cache"] == "SEMANTIC")
            let document = try JSONDocument(parsing: whole.body)
            #expect(document["choices"]?.element(0)?["message"]?["content"]?.string == "answer 1")
        }
    }

    @Test func `what is as near as it must be is near enough, and what is not is not`() async throws {
        try await Self.run { world, _, _ in
            let key = Self.key(world)
            _ = try await Self.ask(world, key, Self.body("one ~1"))
            let below = try await Self.ask(world, key, Self.body("two ~0.9499", #","temperature":0"#))
            #expect(below["x-cache"] == "MISS")
            let below2 = try await Self.ask(
                world, Self.key(world), Self.body("other ~0.9499"))
            #expect(below2["x-cache"] == "MISS")
            let exactly = try await Self.ask(world, key, Self.body("three ~0.95"))
            #expect(exactly["x-cache"] == "SEMANTIC")
            #expect(exactly["x-cache-similarity"] == "0.950")
            let just = try await Self.ask(world, key, Self.body("four ~0.9499"))
            #expect(just["x-cache"] == "MISS")
        }
    }

    @Test func `other organizations, parameters, system prompts and longer talks are never similar`()
        async throws
    {
        try await Self.run { world, scene, _ in
            let key = Self.key(world)
            _ = try await Self.ask(world, key, Self.body("one ~1"))
            let others = [
                Self.body("two ~1", #","temperature":0.5"#), Self.body("two ~1", #","max_tokens":20"#),
                Self.body("two ~1", system: "Be long."),
                Self.body("two ~1").replacing("openai/m", with: "openai/n"),
                Self.body("two ~1", #","models":["openai/n"]"#), Self.body("two ~1", #","user":"u""#),
            ]
            for body in others {
                #expect(try await Self.ask(world, key, body)["x-cache"] == "MISS", "\(body)")
            }
            #expect(try await Self.ask(world, Self.key(world), Self.body("two ~1"))["x-cache"] == "MISS")
            #expect(scene.chats.withLock { $0 } == 8)

            // Those that are not even looked for: nobody is asked for their vectors.
            let asked = scene.vectors.withLock { $0 }
            let tool = #"{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}"#
            let image = #"[{"type":"image_url","image_url":{"url":"https://example.org/a.png"}}]"#
            for name in ["tools", "schema", "image", "n", "turns", "unknown"] {
                let body =
                    switch name {
                    case "tools": Self.body("~1", #","tools":[\#(tool)]"#)
                    case "schema": Self.body("~1", #","response_format":{"type":"json_object"}"#)
                    case "image": Self.body("~1").replacing(#""~1""#, with: image)
                    case "n": Self.body("~1", #","n":2"#)
                    case "turns":
                        #"{"model":"openai/m","messages":[\#(Array(repeating: #"{"role":"user","content":"~1"}"#, count: 3).joined(separator: ","))]}"#
                    default: Self.body("~1", #","of_tomorrow":1"#)
                    }
                #expect(try await Self.ask(world, key, body)["x-cache"] == "MISS", "\(name)")
            }
            let wishes = [
                ("Cache-Control", "no-cache"), ("Cache-Control", "no-store"), ("X-Hivegate-Cache", "off"),
            ]
            for wish in wishes {
                let answer = try await Self.ask(world, key, Self.body("five ~1"), [wish])
                #expect(answer["x-cache"] == "BYPASS", "\(wish)")
            }
            let plain = world.key(
                terms: OrganizationTerms(cachePolicy: Array(#"{"enabled":true}"#.utf8)))
            #expect(try await Self.ask(world, plain, Self.body("two ~1"))["x-cache"] == "MISS")
            #expect(scene.vectors.withLock { $0 } == asked)
        }
    }

    @Test func `other dialects are compared too, each with its own`() async throws {
        try await Self.run { world, _, _ in
            let key = Self.key(world)
            let requests: [(path: String, body: String)] = [
                (
                    "/v1/messages",
                    #"{"model":"openai/m","max_tokens":9,"system":"s","messages":[{"role":"user","content":"TEXT"}]}"#
                ),
                ("/v1/responses", #"{"model":"openai/m","instructions":"s","input":"TEXT"}"#),
                ("/api/v1/generate", #"{"model":"openai/m","system":"s","prompt":"TEXT"}"#),
            ]
            for (path, body) in requests {
                let first = try await Self.ask(world, key, body.replacing("TEXT", with: "a ~1"), path: path)
                #expect(first["x-cache"] == "MISS")
                let near = try await Self.ask(world, key, body.replacing("TEXT", with: "b ~0.99"), path: path)
                #expect(near["x-cache"] == "SEMANTIC", "\(path)")
                let other = body.replacing(#""s""#, with: #""t""#).replacing("TEXT", with: "c ~1")
                #expect(try await Self.ask(world, key, other, path: path)["x-cache"] == "MISS", "\(path)")
            }
        }
    }

    @Test func `of those who ask the same at once one looks for what is near, and all get it`() async throws {
        try await Self.run { world, scene, _ in
            let key = Self.key(world)
            let first = try await Self.ask(world, key, Self.body("one ~1"))
            scene.isHeld.withLock { $0 = true }
            let answers = try await withThrowingTaskGroup(of: GatewayWorld.Answer.self) { group in
                for _ in 0..<5 { group.addTask { try await Self.ask(world, key, Self.body("two ~0.97")) } }
                try await world.loop.sleep(for: .milliseconds(100))
                scene.isHeld.withLock { $0 = false }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.allSatisfy { $0.body == first.body && $0["x-cache-similarity"] == "0.970" })
            #expect(answers.count { $0["x-cache"] == "COALESCED" } == 4)
            #expect(scene.vectors.withLock { $0 } == 2 && scene.chats.withLock { $0 } == 1)
        }
    }

    @Test func `a key that is for one model alone has its questions compared by another`() async throws {
        try await Self.run { world, _, _ in
            let key = Self.key(world, models: AllowedModels(["openai/m"]))
            _ = try await Self.ask(world, key, Self.body("one ~1"))
            #expect(try await Self.ask(world, key, Self.body("two ~1"))["x-cache"] == "SEMANTIC")
        }
    }

    @Test func `the sandbox can tell, too, where a policy names it`() async throws {
        try await Self.run { world, scene, _ in
            let key = Self.key(world, #""threshold":0.9,"model":"sandbox/embed""#)
            _ = try await Self.ask(
                world, key, Self.body("Where is the old lighthouse of the island, please?"))
            let same = try await Self.ask(
                world, key, Self.body("where is the old lighthouse of the island please"))
            #expect(same["x-cache"] == "SEMANTIC")
            let other = try await Self.ask(world, key, Self.body("Who has eaten all of my yellow plums?"))
            #expect(other["x-cache"] == "MISS")
            #expect(scene.vectors.withLock { $0 } == 0)
        }
    }

    @Test func `an answer that is gone is given to nobody, and its question is forgotten`() async throws {
        try await Self.run { world, _, _ in
            let organization = UUID.make()
            let key = Self.key(world, of: organization)
            _ = try await Self.ask(world, key, Self.body("one ~1"))
            try await world.removeEntries()
            #expect(try await world.questionCount() == 1)
            let second = try await Self.ask(world, key, Self.body("two ~1"))
            #expect(second["x-cache"] == "MISS")
            #expect(try await world.questionCount() == 1)
            #expect(try await Self.ask(world, key, Self.body("three ~1")).body == second.body)
            // A purge takes the questions, too.
            try await world.purge(organization)
            #expect(try await world.questionCount() == 0)
            #expect(try await Self.ask(world, key, Self.body("four ~1"))["x-cache"] == "MISS")
        }
    }

    @Test(arguments: ["HTTP/1.1 500 Oops\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}", ""])
    func `a model that does not say how near questions are costs nobody their answer`(failure: String)
        async throws
    {
        try await Self.run { world, scene, _ in
            let key = Self.key(world)
            let first = try await Self.ask(world, key, Self.body("one ~1"))
            scene.failure.withLock { $0 = failure }
            let second = try await Self.ask(world, key, Self.body("two ~1"))
            #expect(second["x-cache"] == "MISS" && second.body != first.body)
            #expect(try await Self.ask(world, key, Self.body("two ~1"))["x-cache"] == "HIT")
        }
    }

    @Test func `without Redis a provider is asked`() async throws {
        try await Self.run { world, scene, redis in
            let key = Self.key(world)
            _ = try await Self.ask(world, key, Self.body("one ~1"))
            try await redis.kill()
            try await world.loop.sleep(for: .milliseconds(50))
            #expect(try await Self.ask(world, key, Self.body("two ~1"))["x-cache"] == "MISS")
            #expect(scene.chats.withLock { $0 } == 2)
        }
    }
}
