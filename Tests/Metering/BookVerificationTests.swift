import Base
import Postgres
import Testing

@testable import Metering

/// Whatever is changed in the books is found.
struct BookVerificationTests {
    private func failures(_ world: MeteringWorld) async throws -> [String] {
        var found: [String] = []
        try await BookVerification(world.pool).run { check in
            if check.difference != nil { found.append(check.name) }
        }
        return found
    }

    /// Some calls of some kinds.
    private func fill(_ world: MeteringWorld) async throws {
        let wallet = try await world.makeLimit(dollar, wallet: true, granted: dollar)
        let budget = try await world.makeLimit(dollar, granted: dollar)
        try await world.fill("wallet", dollar)
        for round in 0..<3 {
            try await world.book(
                (0..<20).map { place in
                    world.call(
                        cost: Int64(place * 1000 + round), commission: Int64(place),
                        paidBy: [wallet, budget], isPrepaid: true,
                        at: .now() + .seconds(-3600 * place)
                    ) { event in
                        event.tags = place % 3 == 0 ? Array(#"{"team":"search"}"#.utf8) : nil
                        event.attempts[0].isOwnKey = place % 5 == 0
                    }
                })
        }
        try await world.book([world.call(cost: nil), world.call(cost: 77)])
    }

    @Test func `books that nobody has touched are whole`() async throws {
        try await MeteringWorld.with { world in
            #expect(try await failures(world) == [])
            try await fill(world)
            #expect(try await failures(world) == [])
        }
    }

    @Test(
        arguments: [
            (
                "events are as they were booked",
                "UPDATE usage_events SET latency_us = latency_us + 1 WHERE cost_nano = 77"
            ),
            (
                "events are as they were booked",
                "UPDATE usage_events SET model = 'free/lunch' WHERE cost_nano = 77"
            ),
            (
                "events are as they were booked",
                "UPDATE usage_events SET price_override = gen_random_uuid() WHERE cost_nano = 77"
            ),
            ("events are as they were booked", "DELETE FROM usage_events WHERE cost_nano = 77"),
            ("transfers pay for their events", "DELETE FROM ledger_transfers WHERE debit = 'receivable'"),
            (
                "transfers pay for their events",
                "UPDATE ledger_transfers SET amount_nano = amount_nano + 1 WHERE debit = 'provider_cost'"
            ),
            (
                "balances follow from transfers",
                "UPDATE ledger_accounts SET balance_nano = 1 WHERE kind = 'wallet'"
            ),
            (
                "limits have settled what events say",
                "UPDATE money_limits SET settled_nano = 0 WHERE kind = 'wallet'"
            ),
            ("rollups add up", "UPDATE usage_rollups SET calls = calls + 1 WHERE minutes = 1440"),
            ("rollups add up", "DELETE FROM usage_rollups WHERE minutes = 15 AND charge_nano > 57000"),
            ("rollups add up", "UPDATE usage_rollups SET input = input - 1 WHERE minutes = 60"),
            ("facets add up", "UPDATE usage_facets SET charge_nano = 0 WHERE facet = 'key' AND minutes = 60"),
            ("facets add up", "DELETE FROM usage_facets WHERE facet = 'all' AND minutes = 15"),
            (
                "latencies add up",
                "UPDATE usage_facet_latencies SET whole = 0 WHERE facet = 'user' AND minutes = 10080"
            ),
            (
                "facets add up",
                "UPDATE usage_facets SET name = 'other' WHERE facet = 'model' AND minutes = 1440"
            ),
            ("latencies add up", "UPDATE usage_facet_latencies SET whole = whole + 1 WHERE minutes = 15"),
            ("tags add up", "UPDATE usage_tags SET tag = 'team=sales' WHERE minutes = 1440"),
        ])
    func `what was changed is found`(_ name: String, _ statement: String) async throws {
        try await MeteringWorld.with { world in
            try await fill(world)
            try await world.owner.transaction { transaction in
                // Whoever owns the database can do that.
                try await transaction.execute("SET LOCAL session_replication_role = replica")
                let count = try await transaction.execute("\(unsafeSQL: statement)")
                #expect(count > 0)
            }
            let found = try await failures(world)
            #expect(found.contains(name), "\(found)")
        }
    }
}
