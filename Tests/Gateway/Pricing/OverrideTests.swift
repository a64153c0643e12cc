import Base
import Catalog
import Gateway
import Identity
import JSON
import Metering
import Postgres
import Providers
import TestKit
import Testing

/// What single organizations pay for models.
struct OverrideTests {
    private typealias Person = ManagementWorld.Person

    private static func path(_ organization: UUID, _ model: String = "") -> String {
        "/api/v1/admin/organizations/\(organization)/price-overrides" + (model.isEmpty ? "" : "/\(model)")
    }

    /// With a provider that cannot be reached, so that it is seen whether it would be asked.
    private static func run(
        _ body: @escaping @Sendable (ManagementWorld, Person) async throws -> Void
    ) async throws {
        var options = ManagementWorld.Options()
        options.upstreams = [
            Upstream.Settings(
                name: "openai", chat: OpenAIChatCodec(.openAI), baseURL: "http://127.0.0.1:1",
                keys: [Secret("instance")])
        ]
        try await ManagementWorld.run(options) { world in try await body(world, try await world.newOperator())
        }
    }

    /// Whether a call is let through that wishes to pay no more than a dollar for a million tokens of input.
    private static func isCheap(_ key: String, _ world: ManagementWorld) async throws -> Bool {
        let answer = try await world.send(
            "POST", "/v1/chat/completions", as: .bearer(key),
            #"{"model":"openai/gpt-4o-mini","messages":[{"role":"user","content":"hi"}],"#
                + #""provider":{"max_price":{"prompt":1}}}"#)
        // It cannot be reached, or is not asked at all.
        #expect([404, 502, 503].contains(answer.status), "\(answer.text)")
        return answer.code != "no_provider_allowed"
    }

    @Test
    func
        `an organization's price holds for its calls from the next one on, until it ends, and for nobody else`()
        async throws
    {
        try await Self.run { world, boss in
            let (ann, ben) = (try await world.newPerson("ann"), try await world.newPerson("ben"))
            let (annsKey, bensKey) = (try await world.newKey(of: ann), try await world.newKey(of: ben))
            #expect(try await Self.isCheap(annsKey, world))
            let path = Self.path(ann.organization, "openai/gpt-4o-mini")
            let set = try await world.send(
                "PUT", path, as: boss, #"{"per_million_tokens":{"input":2.5,"cache_read":0.000001}}"#)
            try #require(set.status == 200, "\(set.text)")
            #expect(set.json?["per_million_tokens"]?["cache_read"]?.number == "0.000001")
            #expect(set.json?["per_million_tokens"]?["output"]?.isNull == true)
            #expect(try await !Self.isCheap(annsKey, world))
            #expect(try await Self.isCheap(bensKey, world))
            #expect(try await world.send("DELETE", path, as: boss).status == 204)
            #expect(try await Self.isCheap(annsKey, world))
            #expect(try await world.send("DELETE", path, as: boss).status == 404)
            let trail = try await world.send("GET", "/api/v1/audit?action=price_override.set", as: ann)
            let entry = try #require(trail.json?["data"]?.element(0))
            #expect(entry["after"]?["model"]?.string == "openai/gpt-4o-mini")
            #expect(entry["actor"]?["user_id"]?.string == boss.user.description)
        }
    }

    @Test func `one that is announced holds from its first moment to before its last`() async throws {
        try await Self.run { world, boss in
            let ann = try await world.newPerson("ann")
            let key = try await world.newKey(of: ann)
            let begin = Timestamp.now() + .seconds(1000)
            let end = begin + .seconds(1000)
            let set = try await world.send(
                "PUT", Self.path(ann.organization, "openai/gpt-4o-mini"), as: boss,
                #"{"per_million_tokens":{"input":9},"effective_from":"\#(begin)","effective_to":"\#(end)"}"#)
            try #require(set.status == 200, "\(set.text)")
            #expect(try await Self.isCheap(key, world))
            world.age(.seconds(1500))
            #expect(try await !Self.isCheap(key, world))
            world.age(.seconds(1000))
            #expect(try await Self.isCheap(key, world))
        }
    }

    @Test func `the next one ends the one before, and is refused where another would begin before its end`()
        async throws
    {
        try await Self.run { world, boss in
            let ann = try await world.newPerson("ann")
            let path = Self.path(ann.organization, "openai/gpt-4o-mini")
            for price in ["1", "2"] {
                let set = try await world.send("PUT", path, as: boss, #"{"per_unit":{"request":\#(price)}}"#)
                #expect(set.status == 200, "\(set.text)")
            }
            let later = Timestamp.now() + .seconds(1000)
            let announced = #"{"per_unit":{"request":3},"effective_from":"\#(later)"}"#
            #expect(try await world.send("PUT", path, as: boss, announced).status == 200)
            let refused = try await world.send("PUT", path, as: boss, #"{"per_unit":{"request":4}}"#)
            #expect(refused.status == 409 && refused.code == "price_overlaps", "\(refused.text)")
            let listed = try await world.send(
                "GET", "\(Self.path(ann.organization))?include_ended=true", as: boss)
            let prices = listed.json?["data"]?.elements.map { one in
                "\(one["per_unit"]?["request"]?.number ?? "") \(one["effective_to"]?.isNull == true)"
            }
            #expect(prices == ["1 false", "2 false", "3 true"])
            let current = try await world.send("GET", Self.path(ann.organization), as: boss)
            #expect(
                current.json?["data"]?.elements.compactMap { $0["per_unit"]?["request"]?.number } == [
                    "2", "3",
                ])
            #expect(try await world.send("DELETE", path, as: boss).status == 204)
            #expect(
                try await world.send("GET", Self.path(ann.organization), as: boss).json?["data"]?.element(0)
                    == nil)
        }
    }

    @Test func `everything that is wrong with a price is said at once`() async throws {
        try await Self.run { world, boss in
            let ann = try await world.newPerson("ann")
            let path = Self.path(ann.organization, "openai/gpt-4o-mini")
            let refused = try await world.send(
                "PUT", path, as: boss,
                #"{"per_million_tokens":{"input":0.0000001},"per_unit":{"image":1e-13},"#
                    + #""effective_from":"2020-01-01T00:00:00Z","effective_to":"2019-01-01T00:00:00Z"}"#)
            let faults = refused.json?["error"]?["errors"]?.elements.compactMap { $0["field"]?.string } ?? []
            #expect(
                refused.status == 422
                    && faults == [
                        "per_million_tokens.input", "per_unit.image", "effective_from", "effective_to",
                    ], "\(refused.text)")
            #expect(try await world.send("PUT", path, as: boss, "{}").status == 422)
            #expect(
                try await world.send(
                    "PUT", Self.path(ann.organization, "no/such"), as: boss, #"{"per_unit":{"image":1}}"#
                ).status == 404)
            #expect(
                try await world.send(
                    "PUT", Self.path(.make(), "openai/gpt-4o"), as: boss, #"{"per_unit":{"image":1}}"#
                ).status == 404)
            #expect(try await world.send("GET", Self.path(.make()), as: boss).status == 404)
            #expect(try await world.send("GET", Self.path(ann.organization), as: ann).status == 403)
        }
    }

    @Test func `an organization reads its own prices, writes none, and takes them with it in the end`()
        async throws
    {
        try await Self.run { world, boss in
            let ann = try await world.newPerson("ann")
            let set = try await world.send(
                "PUT", Self.path(ann.organization, "openai/gpt-4o"), as: boss, #"{"per_unit":{"image":1}}"#)
            try #require(set.status == 200)
            for (tenant, count) in [(ann.organization, 1), (UUID.make(), 0)] {
                try await world.pool.transaction(tenant: tenant) { transaction in
                    let rows = try await transaction.query("SELECT FROM price_overrides")
                    #expect(rows.count == count)
                    for change: SQL in [
                        "UPDATE price_overrides SET image = 0", "DELETE FROM price_overrides",
                    ] {
                        let changed = try await transaction.execute(change)
                        #expect(changed == 0, "\(change)")
                    }
                }
            }
            _ = try await world.store.delete(ann.organization, by: .command)
            try await world.owner.execute(
                "UPDATE organizations SET deleted_at = now() - interval '31 days' WHERE id = \(ann.organization)"
            )
            #expect(try await world.store.clean() == 1)
            let rest = try await world.owner.query("SELECT FROM price_overrides")
            #expect(rest.isEmpty)
        }
    }

    // MARK: What calls cost

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

    @Test func `calls cost their organization its own price, and others the list's`() async throws {
        let start = Timestamp(microseconds: 0)
        let catalog = SharedCatalog([
            CatalogModel("one", "priced") {
                $0.prices = [ModelPrice(from: start, input: 1_000_000, output: 2_000_000)]
            }
        ])
        let costs = Locked<[Int64?]>([])
        let note: GatewayWorld.EndOfCall = { event in costs.withLock { $0 += event.attempts.map(\.cost) } }
        var limits = Gateway.Limits()
        limits.requiresPrices = true
        try await GatewayWorld.run(
            upstreams: ["one": Self.answer], catalog: catalog, limits: limits, beforeEnd: note
        ) { world in
            let term = PriceTerm(id: .make(), from: start, amounts: ["input": 10_000_000])
            let special = world.key(terms: OrganizationTerms(prices: ["one/priced": [term]]))
            let elsewhere = world.key(terms: OrganizationTerms(prices: ["one/other": [term]]))
            let usual = world.key()
            // Often enough that what was found for one is remembered for the next.
            for key in [usual, special, elsewhere, usual, special] {
                let answer = try await world.complete("one/priced", key: key)
                #expect(answer.status == 200)
            }
        }
        // Four tokens read and two written, in nano-dollars.
        #expect(costs.withLock { $0 } == [8000, 44_000, 8000, 8000, 44_000])
    }
}
