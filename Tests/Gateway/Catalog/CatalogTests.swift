import Base
import Catalog
import Gateway
import Identity
import JSON
import Loop
import Providers
import TestKit
import Testing

/// The catalogue through HTTP.
struct CatalogTests {
    private static let start = Timestamp(seconds: 1_700_000_000)
    private static let models = [
        CatalogModel("sandbox", "echo", verifiedOn: start) {
            $0.title = "Sandbox: Echo"
            $0.source = "hivegate"
            $0.prices = [ModelPrice(from: start, input: 0, output: 0) { $0.source = "hivegate" }]
        },
        CatalogModel("openai", "gpt-4o", verifiedOn: start) {
            $0.title = "GPT-4o"
            $0.source = "litellm"
            $0.aliases = ["omni"]
            $0.contextTokens = 128_000
            $0.inputModalities = [.text, .image]
            $0.capabilities = [.tools, .vision]
            $0.releasedOn = Timestamp(seconds: 1_715_558_400)
            $0.prices = [
                ModelPrice(from: start, until: start + .seconds(100), input: 5_000_000, output: 15_000_000) {
                    $0.source = "litellm"
                },
                ModelPrice(from: start + .seconds(100), input: 2_500_000, output: 10_000_000) {
                    $0.cacheRead = 2800
                    $0.search = 10_000_000_000
                    $0.longContext = ModelPrice.LongContext(above: 1000, input: 5_000_000, output: nil)
                    $0.source = "litellm"
                },
            ]
        },
        CatalogModel("groq", "openai/gpt-oss-120b", verifiedOn: start) {
            $0.slug = "gpt-oss-120b"
            $0.source = "litellm"
        },
        CatalogModel("together", "openai/gpt-oss-120b", verifiedOn: start) {
            $0.slug = "gpt-oss-120b"
            $0.source = "litellm"
        },
        CatalogModel("openai", "gone", verifiedOn: start) {
            $0.source = "litellm"
            $0.shutdownOn = start
        },
    ]

    /// Lists two models, of which the catalogue knows one, and one that is gone.
    private static let upstream: GatewayWorld.Script = { peer in
        let list = #"{"data":[{"id":"gpt-4o","created":5},{"id":"gpt-x","created":5},{"id":"gone"}]}"#
        while try await peer.head() != nil {
            try await peer.write("HTTP/1.1 200 OK\r\nContent-Length: \(list.utf8.count)\r\n\r\n\(list)")
        }
    }

    private static func run(
        allowed: AllowedModels? = nil, _ body: @escaping @Sendable (Client) async throws -> Void
    ) async throws {
        let catalog = SharedCatalog(models, providerAliases: ["google": "gemini"])
        try await GatewayWorld.run(upstreams: ["openai": upstream], catalog: catalog) { world in
            try await body(Client(world: world, key: world.key(models: allowed)))
        }
    }

    private struct Client: Sendable {
        let world: GatewayWorld
        let key: String

        func get(_ path: String, _ fields: [(name: String, value: String)] = []) async throws
            -> GatewayWorld.Answer
        {
            try await world.send("GET", path, [("Authorization", "Bearer \(key)")] + fields)
        }

        func json(_ path: String) async throws -> JSONValue {
            let answer = try await get(path)
            try #require(answer.status == 200, "\(path): \(answer.text)")
            return try JSONDocument(parsing: answer.body).root
        }

        func ids(_ query: String) async throws -> [String] {
            try await json("/api/v1/models\(query)")["data"]?.elements.compactMap { $0["id"]?.string } ?? []
        }
    }

    // MARK: What a key is for

    @Test func `a key for some models is shown these and no others, by whatever name it is for them`()
        async throws
    {
        for (name, id) in [
            ("openai/gpt-4o", "openai/gpt-4o"), ("gpt-4o", "openai/gpt-4o"), ("omni", "openai/gpt-4o"),
            ("openai/omni", "openai/gpt-4o"), ("openai/gpt-x", "openai/gpt-x"),
            ("sandbox/echo", "sandbox/echo"),
        ] {
            try await Self.run(allowed: [name]) { client in
                let listed = try await client.json("/v1/models")["data"]?.elements.compactMap {
                    $0["id"]?.string
                }
                #expect(listed == [id], "\(name)")
                #expect(try await client.json("/v1/models/\(id)")["id"]?.string == id)
                let hidden = try await client.get("/v1/models/sandbox/story")
                #expect(hidden.status == 404 && hidden.code == "model_not_found")
                guard id != "openai/gpt-x" else { return }
                let page = try await client.json("/api/v1/models")
                #expect(page["data"]?.elements.compactMap { $0["id"]?.string } == [id])
                #expect(page["total"]?.int == 1)
                #expect(try await client.json("/api/v1/models/\(id)")["id"]?.string == id)
                #expect(try await client.get("/api/v1/models/groq/openai/gpt-oss-120b").status == 404)
            }
        }
    }

    @Test func `a key for some models is not told the names of others`() async throws {
        try await Self.run(allowed: ["sandbox/echo"]) { client in
            for path in ["/v1/models/openai/gpt-4", "/api/v1/models/openai/gpt-4"] {
                let answer = try await client.get(path)
                #expect(answer.status == 404 && !answer.text.contains("gpt-4o"))
            }
        }
    }

    // MARK: Searching

    @Test func `a model is shown with all that is known of it, and its price to the last decimal`()
        async throws
    {
        try await Self.run { client in
            let page = try await client.json("/api/v1/models?q=gpt-4o")
            #expect(page["total"]?.int == 1 && page["next_cursor"]?.isNull == true)
            let model = try #require(page["data"]?.elements.first { _ in true })
            #expect(model["id"]?.string == "openai/gpt-4o" && model["is_available"]?.bool == true)
            #expect(model["released_on"]?.string == "2024-05-13" && model["deprecated_on"]?.isNull == true)
            let price = try #require(model["price"])
            #expect(price["per_million_tokens"]?["input"]?.number == "2.5")
            #expect(price["per_million_tokens"]?["output"]?.number == "10")
            #expect(price["per_million_tokens"]?["cache_read"]?.number == "0.0028")
            #expect(price["per_million_tokens"]?["reasoning"] == nil)
            #expect(price["per_unit"]?["search"]?.number == "0.01")
            #expect(
                price["long_context"]?["input"]?.number == "5"
                    && price["long_context"]?["output"]?.isNull == true)
        }
    }

    @Test func `filters narrow, facets count, and what nobody set up is not available`() async throws {
        try await Self.run { client in
            #expect(try await client.ids("?provider=groq,together").count == 2)
            #expect(try await client.ids("?capability=tools,vision&modality=image") == ["openai/gpt-4o"])
            #expect(try await client.ids("?capability=tools,audio") == [])
            #expect(try await client.ids("?free=true") == ["sandbox/echo"])
            #expect(
                try await client.ids("?max_input_price=2.5&max_output_price=10&sort=price") == [
                    "sandbox/echo", "openai/gpt-4o",
                ])
            #expect(try await client.ids("?max_input_price=2.499999") == ["sandbox/echo"])
            #expect(try await client.ids("?min_context=128000") == ["openai/gpt-4o"])
            #expect(try await client.ids("?mode=embedding") == [])
            #expect(try await client.ids("?q=gone") == [])
            #expect(try await client.ids("?q=gone&include_deprecated=true") == ["openai/gone"])
            let page = try await client.json("/api/v1/models?limit=1")
            let providers = page["facets"]?["providers"]?.elements.compactMap { $0["value"]?.string }
            #expect(providers == ["groq", "openai", "sandbox", "together"])
            #expect(page["total"]?.int == 4)
            let model = try #require(page["data"]?.elements.first { _ in true })
            #expect(model["id"]?.string == "groq/openai/gpt-oss-120b")
            #expect(model["is_available"]?.bool == false && model["price"]?.isNull == true)
        }
    }

    @Test func `pages follow one another by their cursor, which is good for its query alone`() async throws {
        try await Self.run { client in
            var found: [String] = []
            var next: String?
            repeat {
                let page = try await client.json(
                    "/api/v1/models?limit=1&sort=name" + (next.map { "&cursor=\($0)" } ?? ""))
                found += page["data"]?.elements.compactMap { $0["id"]?.string } ?? []
                next = page["next_cursor"]?.string
                if found.count == 1 {
                    let other = try await client.get("/api/v1/models?sort=price&cursor=\(next ?? "")")
                    #expect(other.status == 422 && other.code == "invalid_cursor")
                }
            } while next != nil && found.count < 10
            #expect(
                found == [
                    "openai/gpt-4o", "groq/openai/gpt-oss-120b", "together/openai/gpt-oss-120b",
                    "sandbox/echo",
                ])
            for cursor in ["x", "%20", "AAAA"] {
                #expect(try await client.get("/api/v1/models?cursor=\(cursor)").code == "invalid_cursor")
            }
            for query in ["capability=magic", "provider=a,,b", "limit=0", "sort=best", "q=", "colour=red"] {
                #expect(try await client.get("/api/v1/models?\(query)").code == "invalid_fields", "\(query)")
            }
        }
    }

    @Test func `a page that the client has is not sent again`() async throws {
        try await Self.run { client in
            let whole = try await client.get("/api/v1/models?q=gpt")
            let tag = try #require(whole["etag"])
            #expect(whole["cache-control"] == "private, no-cache")
            let known = try await client.get("/api/v1/models?q=gpt", [("If-None-Match", tag)])
            #expect(known.status == 304 && known.body.isEmpty && known["etag"] == tag)
            let other = try await client.get("/api/v1/models?q=echo", [("If-None-Match", tag)])
            #expect(other.status == 200 && other["etag"] != tag)
        }
    }

    // MARK: One model

    @Test func `a model is found by its id with slashes, encoded or not, and by a name of its own`()
        async throws
    {
        try await Self.run { client in
            for path in [
                "groq/openai/gpt-oss-120b", "groq%2Fopenai%2Fgpt-oss-120b", "groq/openai%2Fgpt-oss-120b",
            ] {
                #expect(
                    try await client.json("/api/v1/models/\(path)")["id"]?.string
                        == "groq/openai/gpt-oss-120b")
            }
            let model = try await client.json("/api/v1/models/omni")
            #expect(model["id"]?.string == "openai/gpt-4o")
            #expect(model["price_history"]?.count == 2)
            #expect(
                model["price_history"]?.elements.compactMap { $0["effective_to"]?.string } == [
                    "2023-11-14T22:15:00.000Z"
                ])
        }
    }

    @Test func `who mistypes a model, or names several, is told what there is`() async throws {
        try await Self.run { client in
            let typo = try await client.get("/api/v1/models/opena/gpt-4o")
            #expect(
                typo.status == 404 && typo.code == "model_not_found" && typo.text.contains("openai/gpt-4o"))
            let several = try await client.get("/api/v1/models/gpt-oss-120b")
            #expect(several.status == 404 && several.text.contains("together/openai/gpt-oss-120b"))
            #expect(try await client.get("/api/v1/models/").status == 404)
            #expect(try await client.get("/api/v1/models/%ff").status == 400)
            let long = try await client.get("/api/v1/models/" + String(repeating: "x/", count: 400))
            #expect(long.status == 404)
        }
    }

    // MARK: Providers

    @Test func `the health of providers is shown, and nothing that they said`() async throws {
        try await GatewayWorld.run(upstreams: [
            "openai": { peer in
                while try await peer.head() != nil {
                    let text = "account acct_canary is broken"
                    try await peer.write(
                        "HTTP/1.1 500 No\r\nContent-Length: \(text.utf8.count)\r\n\r\n\(text)")
                }
            }
        ]) { world in
            let client = Client(world: world, key: world.key())
            let before = try await client.json("/api/v1/providers/health")["data"]?.elements.map { $0 } ?? []
            #expect(before.count == 1 && before[0]["provider"]?.string == "openai")
            #expect(before[0]["state"]?.string == "closed" && before[0]["ready_keys"]?.int == 1)
            #expect(before[0]["failed"]?.int == 0 && before[0]["latency_seconds"]?.isNull == true)
            for _ in 0..<5 { _ = try await world.complete("openai/gpt-4o", key: client.key) }
            let answer = try await client.get("/api/v1/providers/health")
            #expect(!answer.text.contains("acct_canary"))
            let after = try JSONDocument(parsing: answer.body)["data"]?.elements.map { $0 } ?? []
            #expect(after[0]["failed"]?.int ?? 0 >= 5 && after[0]["state"]?.string == "open")
            #expect(after[0]["retry_in_seconds"]?.double ?? 0 > 0 && after[0]["under_way"]?.int == 0)
        }
    }

    // MARK: Who

    @Test func `a key of any scope sees the catalogue, and nobody else does`() async throws {
        try await GatewayWorld.run { world in
            for scopes: KeyScopes in [.inference, .read, .admin] {
                let answer = try await Client(world: world, key: world.key(scopes: scopes)).get(
                    "/api/v1/models")
                #expect(answer.status == 200)
            }
            let none = try await Client(world: world, key: world.key(scopes: [])).get("/api/v1/models")
            #expect(none.status == 403 && none.code == "missing_scope")
            #expect(try await world.send("GET", "/api/v1/models").status == 401)
            #expect(try await world.send("GET", "/api/v1/providers/health").status == 401)
        }
    }

    // MARK: The list for clients of the models

    @Test func `the list has what the catalogue knows, and what providers list beyond that`() async throws {
        try await Self.run { client in
            let list = try await client.json("/v1/models")
            let ids = list["data"]?.elements.compactMap { $0["id"]?.string } ?? []
            #expect(
                ids == SandboxModel.allCases.map(\.id) + ["openai/gpt-4o", "openai/gpt-x"])
            #expect(list["first_id"]?.string == ids.first && list["last_id"]?.string == ids.last)
            let model = list["data"]?.elements.first { $0["id"]?.string == "openai/gpt-4o" }
            #expect(model?["display_name"]?.string == "GPT-4o" && model?["created"]?.int == 1_715_558_400)
            #expect(model?["created_at"]?.string == "2024-05-13T00:00:00.000Z")
        }
    }

    @Test func `a single model of the list is shown by any of its names`() async throws {
        try await Self.run { client in
            for (name, id) in [
                ("openai/gpt-4o", "openai/gpt-4o"), ("openai%2Fgpt-4o", "openai/gpt-4o"),
                ("omni", "openai/gpt-4o"),
                ("openai/gpt-x", "openai/gpt-x"), ("sandbox/slow", "sandbox/slow"),
            ] {
                let model = try await client.json("/v1/models/\(name)")
                #expect(
                    model["id"]?.string == id && model["object"]?.string == "model"
                        && model["type"]?.string == "model")
            }
            // Known, and not to be had here.
            for name in ["groq/openai/gpt-oss-120b", "gpt-oss-120b", "openai/gone", "nothing/at/all"] {
                let answer = try await client.get("/v1/models/\(name)")
                #expect(answer.status == 404 && answer.code == "model_not_found", "\(name)")
                #expect(!answer.text.contains("Did you mean"), "\(name): \(answer.text)")
            }
            let typo = try await client.get("/v1/models/openai/gpt-40")
            #expect(typo.text.contains(#"Did you mean \"openai/gpt-4o\""#))
            #expect(try await client.world.send("GET", "/v1/models/sandbox/echo").status == 401)
        }
    }
}
