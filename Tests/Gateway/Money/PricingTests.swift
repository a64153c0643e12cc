import Base
import Catalog
import Gateway
import HTTPClient
import Identity
import JSON
import Loop
import Providers
import TestKit
import Testing

/// Where prices must be known, nobody is asked whose price is not.
@Suite struct PricingTests {
    private static let start = Timestamp(microseconds: 0)

    private static func model(
        _ provider: String, _ name: String, _ mode: CatalogModel.Mode = .chat,
        _ change: @escaping (inout ModelPrice) -> Void
    ) -> CatalogModel {
        CatalogModel(provider, name, mode: mode) {
            $0.prices = [ModelPrice(from: start) { price in change(&price) }]
        }
    }

    private static let catalog = SharedCatalog([
        model("one", "priced") { ($0.input, $0.output) = (1_000_000, 2_000_000) },
        model("one", "half") { $0.input = 1_000_000 },
        CatalogModel("one", "unknown"),
        CatalogModel("one", "shared"),
        model("two", "shared") { ($0.input, $0.output) = (1_000_000, 2_000_000) },
        CatalogModel("one", "drawer", mode: .image),
        CatalogModel("one", "embedder", mode: .embedding),
    ])

    private static let answer: GatewayWorld.Script = { peer in
        while let head = try await peer.head() {
            let length = head.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }?
                .split(separator: " ").last
            _ = try await peer.read(length.flatMap { Int($0) } ?? 0)
            let body =
                #"{"id":"c","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","#
                + #""content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":4,"completion_tokens":2}}"#
            try await peer.write(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
                    + body)
        }
    }

    private static func run(
        isOn: Bool = true, _ body: @escaping @Sendable (GatewayWorld) async throws -> Void
    ) async throws {
        var limits = Gateway.Limits()
        limits.requiresPrices = isOn
        try await GatewayWorld.run(
            upstreams: ["one": answer, "two": answer], catalog: catalog, limits: limits, body)
    }

    /// A front, and a request to it for a model.
    private static let fronts: [(path: String, body: @Sendable (String) -> String)] = [
        ("/v1/chat/completions", { #"{"model":"\#($0)","messages":[{"role":"user","content":"hi"}]}"# }),
        ("/v1/responses", { #"{"model":"\#($0)","input":"hi"}"# }),
        (
            "/v1/messages",
            { #"{"model":"\#($0)","max_tokens":10,"messages":[{"role":"user","content":"hi"}]}"# }
        ),
        ("/api/v1/generate", { #"{"model":"\#($0)","messages":[{"role":"user","content":"hi"}]}"# }),
    ]

    @Test func `a model without a price is not asked, whatever the dialect`() async throws {
        try await Self.run { world in
            let fields = [(name: "Authorization", value: "Bearer \(world.key())")]
            for front in Self.fronts {
                for model in ["one/unknown", "one/half", "one/not-in-the-catalogue"] {
                    let refused = try await world.send("POST", front.path, fields, body: front.body(model))
                    #expect(refused.status == 422, "\(front.path) \(refused.text)")
                    #expect(refused.code == "model_unpriced", "\(front.path) \(refused.text)")
                    #expect(refused.text.contains("one/") && refused.text.contains("enter its price"))
                }
                let priced = try await world.send("POST", front.path, fields, body: front.body("one/priced"))
                #expect(priced.status == 200, "\(front.path) \(priced.text)")
                let free = try await world.send("POST", front.path, fields, body: front.body("sandbox/echo"))
                #expect(free.status == 200, "\(front.path) \(free.text)")
            }
        }
    }

    @Test func `vectors and images are refused without a price, and counting tokens is free`() async throws {
        try await Self.run { world in
            let fields = [(name: "Authorization", value: "Bearer \(world.key())")]
            let refused = [
                ("/v1/embeddings", #"{"model":"one/embedder","input":"hi"}"#),
                ("/v1/images/generations", #"{"model":"one/drawer","prompt":"a bee"}"#),
            ]
            for (path, body) in refused {
                let answer = try await world.send("POST", path, fields, body: body)
                #expect((answer.status, answer.code) == (422, "model_unpriced"), "\(path) \(answer.text)")
            }
            let free = [
                ("/v1/embeddings", #"{"model":"sandbox/embed","input":"hi"}"#),
                ("/v1/images/generations", #"{"model":"sandbox/image","prompt":"a bee"}"#),
                (
                    "/v1/messages/count_tokens",
                    #"{"model":"one/unknown","messages":[{"role":"user","content":"hi"}]}"#
                ),
            ]
            for (path, body) in free {
                let answer = try await world.send("POST", path, fields, body: body)
                #expect(answer.status == 200, "\(path) \(answer.text)")
            }
        }
    }

    @Test func `of several who serve a model those with a price are asked`() async throws {
        try await Self.run { world in
            let key = world.key()
            let answer = try await world.complete("shared", key: key)
            #expect(answer.status == 200 && answer["x-hivegate-provider"] == "two", "\(answer.text)")
            let strict = #","provider":{"allow_fallbacks":false}"#
            #expect(try await world.complete("shared", key: key, strict)["x-hivegate-provider"] == "two")
            let other = try await world.complete("one/unknown", key: key, #","models":["one/priced"]"#)
            #expect(other.status == 200 && other["x-hivegate-model"] == "priced", "\(other.text)")
        }
    }

    @Test func `what is to be heard needs a price for sound`() async throws {
        try await Self.run { world in
            let body =
                #"{"model":"one/priced","messages":[{"role":"user","content":[{"type":"input_audio","#
                + #""input_audio":{"data":"AAAA","format":"wav"}}]}]}"#
            let fields = [(name: "Authorization", value: "Bearer \(world.key())")]
            let refused = try await world.send("POST", "/v1/chat/completions", fields, body: body)
            #expect((refused.status, refused.code) == (422, "model_unpriced"), "\(refused.text)")
            #expect(refused.text.contains("for sound"))
        }
    }

    @Test func `on a socket it is the request's error`() async throws {
        try await Self.run { world in
            let client = try await SocketClient.open(world, "Authorization: Bearer \(world.key())\r\n")
            try await client.send(#"{"id":"a","model":"one/unknown","prompt":"hi"}"#)
            let refused = try await client.messages(toEndOf: "a")
            #expect(refused.count == 1)
            #expect(refused[0]["error"]?["code"]?.string == "model_unpriced")
            try await client.send(#"{"id":"b","model":"one/priced","prompt":"hi"}"#)
            let answered = try await client.messages(toEndOf: "b")
            #expect(answered.last?["finish_reason"]?.string == "stop")
            client.close()
        }
    }

    @Test func `as long as no prices are required, a model needs none`() async throws {
        try await Self.run(isOn: false) { world in
            let answer = try await world.complete("one/unknown", key: world.key())
            #expect(answer.status == 200)
        }
    }
}
