import Base
import Catalog
import Loop
import Postgres
import TestKit
import Testing

/// What an import leaves for an operator, in a real PostgreSQL.
struct PriceProposalTests {
    private static func run(_ body: @escaping @Sendable (CatalogWorld) async throws -> Void) async throws {
        try await CatalogWorld.run { world in
            // A price of a round number, so that what is twice as much is plain.
            try await world.import("openai,gpt-4o-mini,0.2", source: "first")
            let open = try await world.proposals()
            try #require(open.isEmpty)
            try await body(world)
        }
    }

    @Test func `an import applies what is plain, and has the rest wait as it would hold`() async throws {
        try await Self.run { world in
            try await world.import("openai,gpt-4o-mini,0.5\nopenai,gpt-4.1,2.5")
            let price = try await world.price(of: "openai/gpt-4.1")
            #expect(price?.input == 2_500_000 && price?.source == "list")
            let untouched = try await world.price(of: "openai/gpt-4o-mini")
            #expect(untouched?.input == 200_000)
            let proposal = try #require(try await world.proposals().first)
            #expect(proposal.model == "openai/gpt-4o-mini" && proposal.source == "list")
            #expect((proposal.price.input, proposal.price.output) == (500_000, 600_000))
            #expect(proposal.state == .open && proposal.proposedBy == "test" && proposal.decidedAt == nil)
            #expect(
                proposal.reasons == [
                    .init(.jump, .input), .init(.disagreement, .input, other: "first"),
                ])
        }
    }

    @Test func `what is approved holds from then on, and the past stays as it was`() async throws {
        try await Self.run { world in
            let before = try await world.prices(of: "openai/gpt-4o-mini")
            try await world.import("openai,gpt-4o-mini,0.5")
            let id = try #require(try await world.proposals().first?.id)
            let then = world.now + .seconds(100)
            try await world.approve(id, at: then)
            let after = try await world.prices(of: "openai/gpt-4o-mini")
            #expect(after.count == before.count + 1)
            #expect(after.dropLast(2) == before.dropLast())
            #expect(after.dropLast().last?.until == then && after.last?.from == then)
            #expect(after.last?.input == 500_000 && after.last?.until == nil)
            let decided = try #require(try await world.proposals(.approved).first)
            #expect(decided.id == id && decided.decidedAt == then && decided.decidedBy == "boss")
            await #expect(throws: PriceProposal.Fault.decided(.approved)) {
                try await world.approve(id, at: then)
            }
            await #expect(throws: PriceProposal.Fault.decided(.approved)) { try await world.reject(id) }
        }
    }

    @Test func `of two who approve at once one does, and the other learns that it was done`() async throws {
        try await Self.run { world in
            try await world.import("openai,gpt-4o-mini,0.5")
            let id = try #require(try await world.proposals().first?.id)
            let results = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        do {
                            try await world.approve(id, at: world.now + .seconds(5))
                            return true
                        } catch {
                            #expect(error as? PriceProposal.Fault == .decided(.approved))
                            return false
                        }
                    }
                }
                return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(results == 1)
        }
    }

    @Test func `a proposal whose model has another price by now is not approved`() async throws {
        try await Self.run { world in
            try await world.import("openai,gpt-4o-mini,0.5")
            let id = try #require(try await world.proposals().first?.id)
            // Two lists disagree, and the other one is believed.
            try await world.import("openai,gpt-4o-mini,0.25", source: "first")
            let other = try #require(try await world.proposals().first { $0.source == "first" })
            #expect(other.reasons == [.init(.disagreement, .input, other: "list")])
            try await world.approve(other.id, at: world.now + .seconds(10))
            await #expect(throws: PriceProposal.Fault.priceChanged) {
                try await world.approve(id, at: world.now + .seconds(20))
            }
            try await world.reject(id)
            let price = try await world.price(of: "openai/gpt-4o-mini", at: world.now + .seconds(30))
            #expect(price?.input == 250_000)
            await #expect(throws: PriceProposal.Fault.absent) {
                try await world.approve(.make(), at: world.now)
            }
        }
    }

    @Test func `a list that thinks better of it withdraws its proposal, and one that insists has one`()
        async throws
    {
        try await Self.run { world in
            try await world.import("openai,gpt-4o-mini,0.5")
            let first = try await world.proposals().map(\.id)
            try await world.import("openai,gpt-4o-mini,0.5")
            #expect(try await world.proposals().map(\.id) == first)
            try await world.import("openai,gpt-4o-mini,0.6")
            #expect(try await world.proposals().map(\.price.input) == [600_000])
            try await world.import("openai,gpt-4o-mini,0.2")
            #expect(try await world.proposals().isEmpty)
            #expect(try await world.proposals(.withdrawn).count == 2)
        }
    }

    @Test func `what was rejected is not proposed again`() async throws {
        try await Self.run { world in
            try await world.import("openai,gpt-4o-mini,0.5")
            try await world.reject(try #require(try await world.proposals().first?.id))
            try await world.import("openai,gpt-4o-mini,0.5")
            #expect(try await world.proposals().isEmpty)
            try await world.import("openai,gpt-4o-mini,0.55")
            #expect(try await world.proposals().count == 1)
        }
    }

    @Test func `proposals come page by page, each once`() async throws {
        try await Self.run { world in
            try await world.import("openai,gpt-4o-mini,5\nopenai,gpt-4.1,50\nopenai,gpt-4o,50")
            var found: [String] = []
            var last: UUID?
            repeat {
                let page = try await world.proposals(after: last, limit: 2)
                found += page.map(\.model)
                last = page.count == 2 ? page.last?.id : nil
            } while last != nil
            #expect(found.sorted() == ["openai/gpt-4.1", "openai/gpt-4o", "openai/gpt-4o-mini"])
        }
    }

    @Test func `an organization sees nothing of it`() async throws {
        try await Self.run { world in
            try await world.import("openai,gpt-4o-mini,0.5")
            try await world.pool.transaction(tenant: .make()) { transaction in
                for table: SQL in ["price_proposals", "price_listings"] {
                    let rows = try await transaction.query("SELECT FROM \(table)")
                    #expect(rows.isEmpty)
                }
            }
        }
    }
}
