import Base
import Catalog
import Identity
import JSON
import Loop
import TestKit
import Testing

/// Which model answers for a name, and what is said where none does.
struct ModelRoutingTests {
    private static let models = [
        CatalogModel("a", "fox-1") {
            $0.aliases = ["fox"]
            $0.contextTokens = 1000
            $0.capabilities = [.tools, .jsonSchema, .vision, .audio]
            $0.prices = [ModelPrice(from: Timestamp(seconds: 0), input: 9_000_000, output: 9_000_000)]
        },
        CatalogModel("b", "fox-1") {
            $0.capabilities = [.streaming]
            $0.prices = [ModelPrice(from: Timestamp(seconds: 0), input: 1_000_000, output: 1_000_000)]
        },
        CatalogModel("c", "heron") { $0.capabilities = [.tools] },
        CatalogModel("a", "gone") {
            $0.shutdownOn = Timestamp(seconds: 1)
            $0.replacement = "a/fox-1"
        },
    ]

    private static func upstream(_ name: String) -> GatewayWorld.Script {
        { peer in
            guard let head = try await peer.head() else { return }
            let length = head.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }?
                .split(separator: " ").last
            _ = try await peer.read(length.flatMap { Int($0) } ?? 0)
            let body = #"{"choices":[{"message":{"content":"\#(name)"},"finish_reason":"stop"}]}"#
            try await peer.write(
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        }
    }

    private func run(_ body: @escaping @Sendable (GatewayWorld) async throws -> Void) async throws {
        let scripts = ["a": Self.upstream("a"), "b": Self.upstream("b")]
        try await GatewayWorld.run(upstreams: scripts, catalog: SharedCatalog(Self.models), body)
    }

    @Test func `a bare name finds every provider that serves it, and a wish chooses among them`() async throws
    {
        try await run { world in
            let key = world.key()
            for (name, policy, expected) in [
                ("fox-1", "{}", "a"), ("fox-1", #"{"sort":"price"}"#, "b"), ("fox", "{}", "a"),
                ("b/fox-1", "{}", "b"), ("fox-1", #"{"ignore":["a"]}"#, "b"),
                ("fox-1", #"{"max_price":{"prompt":2}}"#, "b"), ("FOX-1", "{}", "a"),
            ] {
                let answer = try await world.complete(name, key: key, #","provider":\#(policy)"#)
                #expect(answer["x-hivegate-provider"] == expected, "\(name) \(policy)")
                #expect(answer["x-hivegate-model"] == "fox-1")
            }
        }
    }

    @Test func `a name that is none is not found, and says what was probably meant`() async throws {
        try await run { world in
            let key = world.key()
            for (name, hint) in [
                ("fox-2", "fox-1"), ("c/heron", "not set up"), ("heron", "not set up"), ("a/gone", "a/fox-1"),
            ] {
                let answer = try await world.complete(name, key: key)
                #expect(
                    answer.status == 404 && answer.code == "model_not_found" && answer.text.contains(hint))
            }
        }
    }

    @Test func `a model that the catalogue does not know is its provider's to know`() async throws {
        try await run { world in
            let answer = try await world.complete("a/brand-new", key: world.key())
            #expect(answer.status == 200 && answer["x-hivegate-model"] == "brand-new")
        }
    }

    @Test(arguments: [#"a/x\ny"#, #"a/x y"#, #"a/é"#, #"a/\u0000"#])
    func `a name that no model has is not found, and cannot spoil the answer`(name: String) async throws {
        try await run { world in
            let answer = try await world.complete(name, key: world.key())
            #expect(answer.status == 404 && answer.code == "model_not_found")
        }
    }

    @Test func `what is left out is named, whatever it is called`() async throws {
        try await run { world in
            let body =
                #"{"model":"a/fox-1","max_tokens":9,"messages":[{"role":"user","content":"hi"}],"#
                + #""tools":[{"type":"web\nsearch","name":"w"}]}"#
            let answer = try await world.send(
                "POST", "/v1/messages", [("x-api-key", world.key())], body: body)
            #expect(answer.status == 200 && answer["x-hivegate-omitted"] == "tools.web?search")
        }
    }

    @Test func `a key that may use one model may use it by all its names, and no other`() async throws {
        try await run { world in
            let key = world.key(models: AllowedModels(["a/fox-1"]))
            for name in ["a/fox-1", "fox-1", "fox"] {
                let answer = try await world.complete(name, key: key, #","provider":{"sort":"price"}"#)
                #expect(answer.status == 200 && answer["x-hivegate-provider"] == "a", "\(name)")
            }
            for name in ["b/fox-1", "a/brand-new", "sandbox/echo"] {
                let answer = try await world.complete(name, key: key)
                #expect(answer.status == 403 && answer.code == "model_not_allowed", "\(name)")
            }
        }
    }

    @Test func `what a model cannot do is refused before it is asked, and those are named that can`()
        async throws
    {
        try await run { world in
            let key = world.key()
            let tool = #","tools":[{"type":"function","function":{"name":"f"}}]"#
            let refused = try await world.complete("b/fox-1", key: key, tool)
            #expect(refused.status == 400 && refused.code == "capability_missing")
            #expect(refused.text.contains("tools") && refused.text.contains("a/fox-1"))
            // Of several providers one that can is asked.
            let answered = try await world.complete(
                "fox-1", key: key, tool + #","provider":{"sort":"price"}"#)
            #expect(answered.status == 200 && answered["x-hivegate-provider"] == "a")
            let image =
                #"{"model":"b/fox-1","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x/y.png"}}]}]}"#
            let shown = try await world.send(
                "POST", "/v1/chat/completions", [("Authorization", "Bearer \(key)")], body: image)
            #expect(
                shown.status == 400 && shown.code == "capability_missing" && shown.text.contains("vision"))
        }
    }

    @Test func `a conversation that is too long is refused with its count`() async throws {
        try await run { world in
            let words = String(repeating: "honey ", count: 2000)
            let body = #"{"model":"a/fox-1","messages":[{"role":"user","content":"\#(words)"}]}"#
            let answer = try await world.send(
                "POST", "/v1/chat/completions", [("Authorization", "Bearer \(world.key())")], body: body)
            #expect(answer.status == 400 && answer.code == "context_length_exceeded")
            #expect(answer.text.contains("2007") && answer.text.contains("1000"))
        }
    }
}
