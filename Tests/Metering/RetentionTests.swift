import Base
import Postgres
import Testing

@testable import Metering

/// Months of usage that are not kept, and books that outlive them.
struct RetentionTests {
    /// Noon of the tenth of a month of 2026.
    private static func moment(month: Int) -> Timestamp {
        var start: Int64 = 1_767_225_600
        for days in [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30].prefix(month - 1) {
            start += Int64(days) * 86_400
        }
        return Timestamp(seconds: start + 9 * 86_400 + 43_200)
    }

    private static func failures(_ world: MeteringWorld) async throws -> [String] {
        var found: [String] = []
        try await BookVerification(world.pool).run { check in
            if let difference = check.difference { found.append("\(check.name): \(difference)") }
        }
        return found
    }

    @Test func `months that are too old go, and the books add up without them`() async throws {
        try await MeteringWorld.with { world in
            let limit = try await world.makeLimit(dollar, granted: dollar)
            let now = Self.moment(month: 9)
            for month in 5...9 {
                _ = try await world.store.makePartitions(at: Self.moment(month: month), monthsAhead: 0)
                try await world.book([
                    world.call(cost: 1000, commission: 7, paidBy: [limit], at: Self.moment(month: month))
                ])
            }
            // One batch from before and after.
            try await world.book([
                world.call(cost: 10, paidBy: [limit], at: Self.moment(month: 6)),
                world.call(cost: 100, paidBy: [limit], at: Self.moment(month: 7)),
            ])
            let charged = try await world.balance("usage_revenue")
            #expect(try await world.store.dropPartitions(at: now, keepingMonths: 12) == 0)
            #expect(try await world.number("SELECT count(*) FROM usage_events") == 7)
            // July and August are whole months before September.
            #expect(try await world.store.dropPartitions(at: now, keepingMonths: 2) == 2)
            #expect(try await world.number("SELECT count(*) FROM usage_events") == 4)
            #expect(try await world.store.dropPartitions(at: now, keepingMonths: 2) == 0)

            #expect(try await world.balance("usage_revenue") == charged)
            #expect(
                try await world.number(
                    "SELECT sum(calls)::bigint FROM usage_facets WHERE minutes = 1440 AND facet = 'all'") == 7
            )
            #expect(try await Self.failures(world) == [])
            try await world.book([world.call(cost: 5, paidBy: [limit], at: now)])
            #expect(try await Self.failures(world) == [])
            // What is left is watched as before.
            try await world.owner.transaction { transaction in
                try await transaction.execute("SET LOCAL session_replication_role = replica")
                try await transaction.execute("UPDATE usage_events SET request_id = '' WHERE cost_nano = 5")
            }
            #expect(try await Self.failures(world).count == 1)
        }
    }

    @Test func `no month that has not ended goes, whoever asks`() async throws {
        try await MeteringWorld.with { world in
            try await world.book([world.call(cost: 1)])
            await #expect(throws: PostgresError.self) {
                try await world.store.dropPartitions(at: .now(), keepingMonths: 0)
            }
            #expect(try await world.number("SELECT count(*) FROM usage_events") == 1)
        }
    }
}
