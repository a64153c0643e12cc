import Base
import JSON
import Testing

/// What operators decide of prices that an import has not applied.
struct ProposalTests {
    private static let path = "/api/v1/admin/prices/proposals"

    private static func price(of model: String, _ world: ManagementWorld, as person: ManagementWorld.Person)
        async throws -> String?
    {
        try await world.send("GET", "/api/v1/models/\(model)", as: person).json?["price"]?[
            "per_million_tokens"]?["input"]?.number
    }

    @Test func `what waits is listed with its reasons, and holds once it is approved`() async throws {
        try await ManagementWorld.run { world in
            let boss = try await world.newOperator()
            try await world.importPrices("openai,gpt-4o-mini,2000")
            let listed = try await world.send("GET", "\(Self.path)?state=open", as: boss)
            try #require(listed.status == 200, "\(listed.text)")
            let proposal = try #require(listed.json?["data"]?.element(0))
            #expect(proposal["model"]?.string == "openai/gpt-4o-mini" && proposal["source"]?.string == "list")
            #expect(proposal["price"]?["per_million_tokens"]?["input"]?.number == "2000")
            #expect(proposal["reasons"]?.elements.compactMap { $0["code"]?.string } == ["too_high", "jump"])
            #expect(try await Self.price(of: "openai/gpt-4o-mini", world, as: boss) == "0.15")

            let id = try #require(proposal["id"]?.string)
            let approved = try await world.send("POST", "\(Self.path)/\(id)/approve", as: boss)
            #expect(
                approved.status == 200 && approved.json?["state"]?.string == "approved", "\(approved.text)")
            #expect(approved.json?["decided_by"]?.string == boss.user.description)
            #expect(try await Self.price(of: "openai/gpt-4o-mini", world, as: boss) == "2000")
            for verb in ["approve", "reject"] {
                let again = try await world.send("POST", "\(Self.path)/\(id)/\(verb)", as: boss)
                #expect(again.status == 409 && again.code == "already_decided", "\(again.text)")
            }

            let trail = try await world.send("GET", "/api/v1/admin/audit?action=price.approve", as: boss)
            let entry = try #require(trail.json?["data"]?.element(0))
            #expect(entry["target"]?["id"]?.string == id)
            #expect(entry["actor"]?["user_id"]?.string == boss.user.description)
            #expect(entry["after"]?["model"]?.string == "openai/gpt-4o-mini")
        }
    }

    @Test func `a proposal is refused whose model has another price by now, and can be rejected`()
        async throws
    {
        try await ManagementWorld.run { world in
            let boss = try await world.newOperator()
            try await world.importPrices("openai,gpt-4o-mini,1", source: "one")
            try await world.importPrices("openai,gpt-4o-mini,2", source: "two")
            let listed = try await world.send("GET", Self.path, as: boss)
            let ids = listed.json?["data"]?.elements.compactMap { $0["id"]?.string } ?? []
            try #require(ids.count == 2, "\(listed.text)")
            #expect(try await world.send("POST", "\(Self.path)/\(ids[1])/approve", as: boss).status == 200)
            let late = try await world.send("POST", "\(Self.path)/\(ids[0])/approve", as: boss)
            #expect(late.status == 409 && late.code == "price_changed", "\(late.text)")
            let rejected = try await world.send("POST", "\(Self.path)/\(ids[0])/reject", as: boss)
            #expect(rejected.json?["state"]?.string == "rejected")
            #expect(try await Self.price(of: "openai/gpt-4o-mini", world, as: boss) == "2")
            #expect(
                try await world.send("GET", "\(Self.path)?state=open", as: boss).json?["data"]?.element(0)
                    == nil)
        }
    }

    @Test func `nobody else sees or decides, and what is not there is not found`() async throws {
        try await ManagementWorld.run { world in
            let boss = try await world.newOperator()
            let ann = try await world.newPerson("ann")
            #expect(try await world.send("GET", Self.path, as: ann).status == 403)
            for id in [UUID.make().description, "x"] {
                #expect(try await world.send("POST", "\(Self.path)/\(id)/approve", as: ann).status == 403)
                #expect(try await world.send("POST", "\(Self.path)/\(id)/approve", as: boss).status == 404)
            }
        }
    }
}
