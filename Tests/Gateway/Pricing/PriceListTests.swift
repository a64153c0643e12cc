import Base
import JSON
import Postgres
import Testing

/// What models cost who asks, and the book in which operators enter it.
struct PriceListTests {
    private typealias Person = ManagementWorld.Person

    private static func input(_ answer: ManagementWorld.Answer) -> [String?] {
        answer.json?["data"]?.elements.map { $0["price"]?["per_million_tokens"]?["input"]?.number } ?? []
    }

    @Test func `an organization is shown its own prices, at any moment, and others the list's`() async throws
    {
        try await ManagementWorld.run { world in
            let boss = try await world.newOperator()
            let ann = try await world.newPerson("ann")
            let key = try await world.newKey(of: ann, #"{"name":"k","scopes":["read"]}"#)
            let before = Timestamp.now()
            let set = try await world.send(
                "PUT", "/api/v1/admin/organizations/\(ann.organization)/price-overrides/openai/gpt-4o-mini",
                as: boss, #"{"per_million_tokens":{"input":0.1}}"#)
            try #require(set.status == 200, "\(set.text)")
            let path = "/api/v1/pricing/models?provider=openai&q=gpt-4o-mini&limit=1"
            for credential in [ManagementWorld.Credential.bearer(ann.token), .bearer(key)] {
                let own = try await world.send("GET", path, as: credential)
                #expect(Self.input(own) == ["0.1"], "\(own.text)")
                let model = own.json?["data"]?.element(0)
                #expect(model?["override_id"]?.string == set.json?["id"]?.string)
                #expect(model?["price"]?["per_million_tokens"]?["output"]?.number == "0.6")
                let past = try await world.send("GET", "\(path)&at=\(before)", as: credential)
                #expect(Self.input(past) == ["0.15"], "\(past.text)")
            }
            let others = try await world.send("GET", path, as: boss)
            #expect(Self.input(others) == ["0.15"])
            #expect(others.json?["data"]?.element(0)?["override_id"]?.isNull == true)
            let long = try await world.send("GET", "\(path)&at=2020-01-01T00:00:00Z", as: boss)
            #expect(long.json?["data"]?.element(0)?["price"]?.isNull == true)
        }
    }

    @Test func `all models come page by page, under either address`() async throws {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            var found: [String] = []
            var next: String?
            repeat {
                let page = try await world.send(
                    "GET", "/api/pricing/models?limit=50" + (next.map { "&cursor=\($0)" } ?? ""), as: ann)
                try #require(page.status == 200, "\(page.text)")
                found += page.json?["data"]?.elements.compactMap { $0["model"]?.string } ?? []
                next = page.json?["next_cursor"]?.string
            } while next != nil
            let whole = try await world.send("GET", "/api/v1/pricing/models?limit=1000", as: ann)
            let all = whole.json?["data"]?.elements.compactMap { $0["model"]?.string } ?? []
            #expect(found == all && Set(found).count == found.count && found.count >= 120)
            let other = try await world.send("GET", "/api/v1/pricing/models?cursor=x", as: ann)
            #expect(other.status == 422 && other.code == "invalid_cursor")
            let document = try await world.send("GET", "/openapi.json")
            #expect(
                document.text.contains("/api/v1/pricing/models") && !document.text.contains("\"/api/pricing/")
            )
        }
    }

    // MARK: The book

    @Test func `a price that is entered holds from then on, and no import changes it`() async throws {
        try await ManagementWorld.run { world in
            let boss = try await world.newOperator()
            let before = Timestamp.now()
            let entered = try await world.send(
                "POST", "/api/pricing/book", as: boss,
                #"{"model":"openai/gpt-4o-mini","per_million_tokens":{"input":0.2,"output":0.8},"per_unit":{"request":0.000000000001}}"#
            )
            #expect(
                entered.status == 201 && entered.json?["model"]?.string == "openai/gpt-4o-mini",
                "\(entered.text)")
            #expect(entered.json?["price"]?["source"]?.string == "operator")
            #expect(entered.json?["price"]?["per_unit"]?["request"]?.number == "0.000000000001")
            let path = "/api/v1/pricing/models?provider=openai&q=gpt-4o-mini&limit=1"
            #expect(Self.input(try await world.send("GET", path, as: boss)) == ["0.2"])
            #expect(Self.input(try await world.send("GET", "\(path)&at=\(before)", as: boss)) == ["0.15"])
            try await world.importPrices("openai,gpt-4o-mini,0.1")
            #expect(Self.input(try await world.send("GET", path, as: boss)) == ["0.2"])
            let trail = try await world.send("GET", "/api/v1/admin/audit?action=price.enter", as: boss)
            #expect(trail.json?["data"]?.element(0)?["target"]?["id"]?.string == "openai/gpt-4o-mini")
        }
    }

    @Test func `a price is announced for later, and the one before it holds until then`() async throws {
        try await ManagementWorld.run { world in
            let boss = try await world.newOperator()
            let later = Timestamp(seconds: Timestamp.now().seconds + 86_400)
            let entered = try await world.send(
                "POST", "/api/v1/pricing/book", as: boss,
                #"{"model":"openai/gpt-4o-mini","per_million_tokens":{"input":9,"output":9},"effective_from":"\#(later)"}"#
            )
            try #require(entered.status == 201, "\(entered.text)")
            let path = "/api/v1/pricing/models?provider=openai&q=gpt-4o-mini&limit=1"
            #expect(Self.input(try await world.send("GET", path, as: boss)) == ["0.15"])
            let before = later + .seconds(-1)
            #expect(Self.input(try await world.send("GET", "\(path)&at=\(before)", as: boss)) == ["0.15"])
            #expect(Self.input(try await world.send("GET", "\(path)&at=\(later)", as: boss)) == ["9"])
        }
    }

    @Test func `the past does not change, and only operators write in the book`() async throws {
        try await ManagementWorld.run { world in
            let boss = try await world.newOperator()
            let ann = try await world.newPerson("ann")
            let body =
                #"{"model":"openai/gpt-4o-mini","per_unit":{"request":1},"effective_from":"2026-01-01T00:00:00Z"}"#
            let refused = try await world.send("POST", "/api/v1/pricing/book", as: boss, body)
            #expect(refused.status == 422 && refused.text.contains("effective_from"), "\(refused.text)")
            #expect(try await world.send("POST", "/api/v1/pricing/book", as: ann, body).status == 403)
            let unknown = #"{"model":"no/such","per_unit":{"request":1}}"#
            #expect(try await world.send("POST", "/api/v1/pricing/book", as: boss, unknown).status == 404)
        }
    }

    @Test func `of several who enter a price for one moment one does, and the others are told`() async throws
    {
        try await ManagementWorld.run { world in
            let boss = try await world.newOperator()
            let later = Timestamp(seconds: Timestamp.now().seconds + 86_400)
            let answers = try await withThrowingTaskGroup(of: ManagementWorld.Answer.self) { group in
                for price in 1...4 {
                    group.addTask {
                        try await world.send(
                            "POST", "/api/v1/pricing/book", as: boss,
                            #"{"model":"openai/gpt-4o-mini","per_unit":{"request":\#(price)},"effective_from":"\#(later)"}"#
                        )
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.map(\.status).sorted() == [201, 409, 409, 409])
            #expect(answers.compactMap(\.code) == ["price_changed", "price_changed", "price_changed"])
            let rows = try await world.owner.query(
                "SELECT FROM model_prices WHERE model_id = 'openai/gpt-4o-mini' AND effective_from = \(later)"
            )
            #expect(rows.count == 1)
        }
    }
}
