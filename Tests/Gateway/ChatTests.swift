import Base
import JSON
import Loop
import TestKit
import Testing

struct ChatTests {
    private static let completion =
        #"{"id":"x","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"é"}}]}"#

    private static func answer(_ status: String, _ body: String, _ more: String = "") -> String {
        "HTTP/1.1 \(status)\r\nContent-Type: application/json\r\n\(more)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    @Test
    func `a request goes to the upstream with its own model name and key, and comes back byte for byte`()
        async throws
    {
        let seen = Locked("")
        let script: GatewayWorld.Script = { peer in
            guard let head = try await peer.head() else { return }
            let length = head.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }?.split(
                separator: " "
            ).last
            let body = try await peer.read(length.flatMap { Int($0) } ?? 0) ?? []
            seen.withLock { $0 = head + String(decoding: body, as: UTF8.self) }
            try await peer.write(Self.answer("200 OK", Self.completion))
        }
        try await GatewayWorld.run(upstream: script) { world in
            let key = world.key()
            let answer = try await world.complete("openai/gpt-x", key: key, #","vendor":{"b":1.0,"a":2}"#)
            #expect(answer.status == 200 && answer.text == Self.completion)
            #expect(answer["x-hivegate-provider"] == "openai" && answer["x-hivegate-model"] == "gpt-x")
            let request = seen.withLock { $0 }
            #expect(request.hasPrefix("POST /chat/completions HTTP/1.1\r\n"))
            #expect(request.contains("Authorization: Bearer sk-upstream\r\n"))
            #expect(!request.contains(key))
            #expect(
                request.hasSuffix(
                    #"{"model":"gpt-x","messages":[{"role":"user","content":"hi"}],"vendor":{"b":1.0,"a":2}}"#
                ))
        }
    }

    @Test(arguments: [
        ("400 Bad Request", 400, "bad"), ("429 Too Many", 429, "provider_rate_limited"),
        ("401 Unauthorized", 502, "provider_account"),
        ("500 Oops", 502, "provider_error"), ("503 Busy", 503, "provider_unavailable"),
    ])
    func
        `what the upstream refuses is passed on where it is the client's to mend, and explained where it is not`(
            upstream: String, status: Int, code: String
        ) async throws
    {
        let body = #"{"error":{"message":"no","type":"x","param":null,"code":"bad"}}"#
        let script: GatewayWorld.Script = { peer in
            while try await peer.head() != nil {
                try await peer.write(Self.answer(upstream, body, "Retry-After: 9\r\nConnection: close\r\n"))
                return
            }
        }
        try await GatewayWorld.run(upstream: script) { world in
            let answer = try await world.complete("openai/gpt-x", key: world.key())
            #expect(answer.status == status && answer.code == code)
            if status == 429 || status == 503 { #expect(answer["retry-after"] == "9") }
        }
    }

    @Test func `a stream passes on as it comes, and one that breaks off says so and has no end mark`()
        async throws
    {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        for isWhole in [true, false] {
            let script: GatewayWorld.Script = { peer in
                _ = try await peer.head()
                try await peer.write(head + "11\r\ndata: {\"a\":\"1\"}\n\n\r\n6\r\ndata: \r\n")
                try await peer.write(isWhole ? "8\r\n[DONE]\n\n\r\n0\r\n\r\n" : "0\r\n\r\n")
            }
            try await GatewayWorld.run(upstream: script) { world in
                let answer = try await world.complete("openai/gpt-x", key: world.key(), #","stream":true"#)
                #expect(answer.status == 200)
                #expect(answer.text.hasPrefix("data: {\"a\":\"1\"}\n\n"))
                #expect(answer.text.contains("[DONE]") == isWhole)
                #expect(answer.text.contains("provider_garbled") == !isWhole)
            }
        }
    }

    @Test func `a client that leaves closes the connection to the upstream`() async throws {
        let closed = Locked(false)
        let reached = Locked(false)
        let script: GatewayWorld.Script = { peer in
            _ = try await peer.head()
            reached.withLock { $0 = true }
            try await peer.waitForClose()
            closed.withLock { $0 = true }
        }
        try await GatewayWorld.run(upstream: script) { world in
            let key = world.key()
            let client = world.loop.spawn { _ = try? await world.complete("openai/gpt-x", key: key) }
            while !reached.withLock({ $0 }) { try await world.loop.sleep(for: .milliseconds(5)) }
            client.cancel()
            await client.value
            let deadline = Instant.now() + .seconds(60)
            while !closed.withLock({ $0 }), Instant.now() < deadline {
                try await world.loop.sleep(for: .milliseconds(5))
            }
            #expect(closed.withLock { $0 })
        }
    }

    @Test func `an upstream that cannot be reached is a bad gateway, before anything was said`() async throws
    {
        let script: GatewayWorld.Script = { peer in peer.reset() }
        try await GatewayWorld.run(upstream: script) { world in
            for more in ["", #","stream":true"#] {
                let answer = try await world.complete("openai/gpt-x", key: world.key(), more)
                #expect(answer.status == 502 && answer.code == "provider_unreachable")
            }
        }
    }

    @Test func `a body that is no JSON is refused at its byte, an unknown model by its name`() async throws {
        try await GatewayWorld.run { world in
            let fields = [(name: "x-api-key", value: world.key())]
            let broken = try await world.send("POST", "/v1/chat/completions", fields, body: #"{"model":tru}"#)
            #expect(broken.status == 400 && broken.code == "invalid_json" && broken.text.contains("byte"))
            let twice = try await world.send(
                "POST", "/v1/chat/completions", fields, body: #"{"model":"a","model":"b"}"#)
            #expect(twice.status == 400 && twice.text.contains("duplicate"))
            for model in ["gpt-4o", "openai/", "openai/x", "sandbox/none"] {
                let answer = try await world.complete(model, key: world.key())
                #expect(answer.status == 404 && answer.code == "model_not_found")
            }
        }
    }

    @Test func `an address that is none is not found, and a wrong method names the right ones`() async throws
    {
        try await GatewayWorld.run { world in
            #expect(try await world.send("GET", "/v2/nothing").status == 404)
            let wrong = try await world.send("GET", "/v1/chat/completions")
            #expect(wrong.status == 405)
            #expect(wrong["allow"]?.contains("POST") == true)
            #expect(wrong.code == "method_not_allowed")
        }
    }

    @Test func `several choices are as many stories, the prompt counted once`() async throws {
        try await GatewayWorld.run { world in
            let key = world.key()
            let one = try JSONDocument(parsing: try await world.complete("sandbox/story", key: key).body)
            let three = try JSONDocument(
                parsing: try await world.complete("sandbox/story", key: key, #","n":3"#).body)
            let texts = three["choices"]?.elements.compactMap { $0["message"]?["content"]?.string } ?? []
            #expect(Set(texts).count == 3)
            #expect(texts.first == one["choices"]?.element(0)?["message"]?["content"]?.string)
            #expect(three["usage"]?["prompt_tokens"]?.int == one["usage"]?["prompt_tokens"]?.int)
            let many = try await world.complete("sandbox/story", key: key, #","n":99"#)
            #expect(many.status == 400)
        }
    }
}
