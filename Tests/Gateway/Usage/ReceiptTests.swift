import Base
import Chat
import JSON
import Metering
import Postgres
import Testing

/// Charges, as they are explained to whoever pays them.
struct ReceiptTests {
    /// 3 read, 12,304 kept, 550 answered, at 3, 3.75 and 15 dollars for a million.
    private func golden(_ event: inout UsageEvent, cost: Int64 = 54_399_000) {
        var attempt = event.attempts[0]
        attempt.model = "anthropic/claude-3-7-sonnet-20250219"
        attempt.usage = ChatUsage(input: 3, cacheWrite: 12_304, output: 550)
        // The first of August 2026.
        attempt.priceFrom = Timestamp(seconds: 1_785_542_400)
        (attempt.cost, attempt.commission, attempt.charge) = (cost, 600, cost + 600)
        event.attempts[0] = attempt
    }

    @Test func `a receipt names what was used, at which price, and what was booked`() async throws {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            try await world.use(ann) { golden(&$1) }
            let answer = try await world.send("GET", "/api/v1/usage/req_0/receipt", as: ann)
            #expect(answer.status == 200, "\(answer.text)")
            let call = try #require(answer.list("calls").first)
            let attempt = try #require(call["attempts"].map { Array($0.elements) }?.first)
            let lines = attempt["lines"].map { Array($0.elements) } ?? []
            #expect(lines.map { $0["kind"]?.string } == ["input", "cache_write", "output"])
            #expect(lines.map { $0["amount_pico"]?.string } == ["9000000", "46140000000", "8250000000"])
            #expect(attempt["cost"]?["usd"]?.string == "0.054399")
            #expect(attempt["commission"]?["nano"]?.string == "600")
            #expect(answer.json?["charge"]?["nano"]?.string == "54399600")
            // Without a wallet all of it is owed.
            let owed = (call["transfers"].map { Array($0.elements) } ?? []).filter {
                $0["debit"]?.string == "receivable"
            }
            #expect(
                owed.compactMap { $0["amount"]?["nano"]?.string }.compactMap { Int($0) }.reduce(0, +)
                    == 54_399_600)
        }
    }

    @Test func `a receipt names the organization's own price, and explains the charge by it`() async throws {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            let override = UUID.make()
            // Half of what others pay for what is read.
            _ = try await world.owner.query(
                """
                INSERT INTO price_overrides (id, org_id, model_id, effective_from, input)
                VALUES (\(override), \(ann.organization), 'anthropic/claude-3-7-sonnet-20250219', '2026-08-01', 1500000)
                """)
            try await world.use(ann) { _, event in
                golden(&event, cost: 54_394_500)
                event.attempts[0].override = override
            }
            let answer = try await world.send("GET", "/api/v1/usage/req_0/receipt", as: ann)
            let attempt = try #require(
                answer.list("calls").first?["attempts"].map { Array($0.elements) }?.first)
            #expect(attempt["override_id"]?.string == override.description, "\(answer.text)")
            let lines = attempt["lines"].map { Array($0.elements) } ?? []
            #expect(lines.map { $0["amount_pico"]?.string } == ["4500000", "46140000000", "8250000000"])
        }
    }

    @Test func `what does not add up is not explained`() async throws {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            try await world.use(ann) { golden(&$1, cost: 54_399_001) }
            let answer = try await world.send("GET", "/api/v1/usage/req_0/receipt", as: ann)
            let attempt = answer.list("calls").first?["attempts"].map { Array($0.elements) }?.first
            #expect(attempt?["lines"]?.isNull == true && attempt?["cost"]?["nano"]?.string == "54399001")
        }
    }

    @Test func `another organization's request is not there`() async throws {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            let bob = try await world.newPerson("bob")
            try await world.use(ann)
            #expect(try await world.send("GET", "/api/v1/usage/req_0/receipt", as: ann).status == 200)
            #expect(try await world.send("GET", "/api/v1/usage/req_0/receipt", as: bob).status == 404)
            #expect(try await world.send("GET", "/api/v1/usage/req_9/receipt", as: ann).status == 404)
        }
    }

    @Test func `a month is shown as a whole, for one user, and among those before it`() async throws {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            let bob = try await world.newPerson("bob")
            try await world.use(ann)
            let path = "/api/v1/billing/usage"
            let current = try await world.send("GET", "\(path)/current-period", as: ann)
            #expect(current.status == 200, "\(current.text)")
            #expect(current.json?["charge"]?["nano"]?.string == "54399600")
            let own = try await world.send("GET", "\(path)/\(ann.user)", as: ann)
            #expect(own.json?["requests"]?.int == 1, "\(own.text)")
            #expect(try await world.send("GET", "\(path)/\(bob.user)", as: ann).status == 404)
            let history = try await world.send("GET", "\(path)/history?months=3", as: ann)
            #expect(history.list("data").map { $0["requests"]?.int } == [1, 0, 0], "\(history.text)")
        }
    }
}
