import Base
import Chat
import Loop
import Postgres
import TestKit
import Testing

@testable import Metering

/// Against a real PostgreSQL, as the application's role.
struct UsageStoreTests {
    @Test func `a call is booked with all that is known of it`() async throws {
        try await MeteringWorld.with { world in
            let moment = Timestamp(microseconds: 1_795_000_000_123_456)
            let event = world.call(cost: 1000, commission: 300, at: moment) { event in
                event.attempts[0].outcome = .failed
                event.attempts[0].fault = "overloaded\t\\ \n\r"
                event.attempts.append(
                    UsageEvent.Attempt(
                        provider: "groq", model: "groq/x", started: moment, latency: .microseconds(1500),
                        outcome: .answered, cost: nil
                    ) {
                        $0.isOwnKey = true
                        $0.priceFrom = Timestamp(microseconds: 1_700_000_000_000_001)
                        $0.usage = ChatUsage(
                            input: 1, cacheRead: 2, cacheWrite: 3, cacheWriteHour: 4, audioInput: 5,
                            output: 6,
                            reasoning: 7, audioOutput: 8)
                        $0.usage?.isEstimated = true
                        $0.imageCount = 9
                    })
                event.cache = "MISS"
                event.tags = Array(#"{"team":"se\"arch","tab":"a\tb\\c"}"#.utf8)
            }
            #expect(try await world.book([event]) == 2)
            let rows = try await world.owner.query(
                """
                SELECT json_build_array(attempt, is_last, provider, fault, cost_nano, charge_nano, cache, is_own_key,
                    is_estimated, tags->>'tab', cache_write_hour, audio_output)::text
                FROM usage_events WHERE id = \(event.id) AND at = \(moment) ORDER BY attempt
                """
            ).decode(String.self)
            #expect(
                rows == [
                    #"[1, false, "openai", "overloaded\t\\ \n\r", 1000, 1300, null, false, false, "a\tb\\c", 0, 0]"#,
                    #"[2, true, "groq", null, null, 0, "MISS", true, true, "a\tb\\c", 4, 8]"#,
                ])
        }
    }

    @Test func `an own price is in the books, and an entry of a release that knew none is booked as it was`()
        async throws
    {
        try await MeteringWorld.with { world in
            let override = UUID.make()
            let (own, old) = (world.call(cost: 5) { $0.attempts[0].override = override }, world.call(cost: 7))
            // As version 1 has it: without the last column.
            let entry = JournalEntry(old)
            var bytes = entry.bytes
            bytes[0] = 1
            let last = Array("\t\\N\n".utf8)
            #expect(Array(bytes.suffix(last.count)) == last)
            bytes = bytes.dropLast(last.count) + [0x0A]
            let found = try #require(JournalEntry(id: old.id, found: bytes))
            #expect(found == entry)
            try await world.store.store([JournalEntry(own), found])
            let rows = try await world.owner.query(
                "SELECT cost_nano, price_override FROM usage_events ORDER BY cost_nano"
            ).decode((Int64?, UUID?).self)
            #expect(rows[0] == (5, override) && rows[1] == (7, nil))
            bytes[0] = 3
            #expect(JournalEntry(id: old.id, found: bytes) == nil)
        }
    }

    @Test func `what comes twice is booked once`() async throws {
        try await MeteringWorld.with { world in
            let limit = try await world.makeLimit(dollar, granted: 500 * cent / 10)
            let events = (0..<10).map { world.call(cost: Int64($0) * 1_000_000, paidBy: [limit]) }
            #expect(try await world.book(Array(events[..<6])) == 6)
            #expect(try await world.book(events) == 4)
            #expect(try await world.book(events) == 0)
            #expect(try await world.number("SELECT count(*) FROM usage_events") == 10)
            #expect(try await world.number("SELECT settled_nano FROM money_limits") == 45_000_000)
            #expect(try await world.number("SELECT granted_nano FROM money_limits") == 455_000_000)
            #expect(try await world.balance("usage_revenue") == 45_000_000)
            #expect(
                try await world.number("SELECT sum(calls)::bigint FROM usage_rollups WHERE minutes = 1440")
                    == 10)
            #expect(
                try await world.number(
                    "SELECT sum(whole)::bigint FROM usage_facet_latencies WHERE minutes = 15 AND facet = 'all'"
                )
                    == 10)
            #expect(try await world.number("SELECT count(*) FROM usage_batches") == 2)
        }
    }

    @Test func `what the database refuses is put aside, and all else is booked`() async throws {
        try await MeteringWorld.with { world in
            var entries = (0..<20).map { _ in JournalEntry(world.call(cost: 1000)) }
            let wrong = JournalEntry(world.call(cost: -1000))
            entries.insert(wrong, at: 7)
            let metrics = Metrics()
            try await world.store.storeOrPutAside(
                entries, counters: MeteringCounters(in: metrics, of: UsageQueue()), logger: .silent)
            #expect(try await world.number("SELECT count(*) FROM usage_events") == 20)
            let aside = try await world.owner.query("SELECT id, entry FROM usage_rejects").decode(
                (UUID, [UInt8]).self)
            #expect(aside.count == 1 && aside[0] == (wrong.id, wrong.bytes))
            #expect(
                String(decoding: metrics.render(), as: UTF8.self).contains("hivegate_usage_rejected_total 1"))
        }
    }

    @Test func `what is being booked while the gateway stops is not put aside`() async throws {
        try await MeteringWorld.with { world in
            let entry = JournalEntry(world.call(cost: 1000))
            let metrics = Metrics()
            let counters = MeteringCounters(in: metrics, of: UsageQueue())
            let booking = Task(executorPreference: world.pool.loop) {
                try await world.owner.transaction { transaction in
                    _ = try await transaction.query("LOCK TABLE usage_events IN EXCLUSIVE MODE")
                    let task = Task(executorPreference: world.pool.loop) {
                        try await world.store.storeOrPutAside([entry], counters: counters, logger: .silent)
                    }
                    try await world.pool.loop.sleep(for: .milliseconds(100))
                    task.cancel()
                    return await task.result
                }
            }
            let result = try await booking.value
            #expect(throws: PostgresError.self) { try result.get() }
            #expect(
                String(decoding: metrics.render(), as: UTF8.self).contains("hivegate_usage_rejected_total 0"))
            #expect(try await world.number("SELECT count(*) FROM usage_rejects") == 0)
            #expect(try await world.store.store([entry]) == 1)
        }
    }

    @Test func `what was given is spent first, then the wallet, and the rest is owed`() async throws {
        try await MeteringWorld.with { world in
            let wallet = try await world.makeLimit(10 * cent, wallet: true, granted: 10 * cent)
            try await world.fill("promo", 3 * cent)
            try await world.fill("wallet", 7 * cent)
            try await world.book([
                world.call(cost: 4 * cent, commission: cent, paidBy: [wallet], isPrepaid: true)
            ])
            #expect(try await world.balance("promo") == 0)
            #expect(try await world.balance("wallet") == 5 * cent)
            #expect(try await world.balance("commission_revenue") == cent)
            try await world.book([world.call(cost: 6 * cent, paidBy: [wallet], isPrepaid: true)])
            #expect(try await world.balance("wallet") == 0)
            #expect(try await world.balance("receivable") == -cent)
            #expect(try await world.balance("usage_revenue") == 10 * cent)
            #expect(try await world.balance("provider_cost") == -10 * cent)
            #expect(try await world.number("SELECT sum(balance_nano)::bigint FROM ledger_accounts") == 0)
            // More was spent than was granted.
            #expect(try await world.number("SELECT granted_nano FROM money_limits") == 0)
            #expect(try await world.number("SELECT settled_nano FROM money_limits") == 11 * cent)
        }
    }

    @Test func `tags of a call count for all its attempts`() async throws {
        try await MeteringWorld.with { world in
            try await world.book([
                world.call(cost: 5) { $0.tags = Array(#"{"team":"search","run":"7"}"#.utf8) },
                world.call(cost: 7) { $0.tags = Array(#"{"team":"search"}"#.utf8) }, world.call(cost: 11),
            ])
            let rows = try await world.owner.query(
                "SELECT tag, calls, cost_nano FROM usage_tags WHERE minutes = 60 ORDER BY tag"
            ).decode((String, Int64, Int64).self)
            #expect(rows[0] == ("run=7", 1, 5))
            #expect(rows[1] == ("team=search", 2, 12))
        }
    }

    @Test func `what is in the books cannot be changed by the gateway`() async throws {
        try await MeteringWorld.with { world in
            try await world.book([world.call(cost: 5)])
            for statement: SQL in [
                "UPDATE usage_events SET cost_nano = 1", "DELETE FROM usage_events",
                "UPDATE ledger_transfers SET amount_nano = 1", "DELETE FROM usage_batches",
            ] {
                await #expect(throws: PostgresError.self) {
                    try await world.pool.transaction { transaction in
                        _ = try await transaction.query("SELECT set_config('app.system', 'on', true)")
                        try await transaction.execute(statement)
                    }
                }
            }
        }
    }

    @Test func `an organization sees its own usage and nobody else's`() async throws {
        try await MeteringWorld.with { world in
            let other = UUID.make()
            try await world.book([world.call(cost: 5), world.call(cost: 7) { $0.organization = other }])
            for organization in [world.organization, other] {
                let seen = try await world.pool.transaction(tenant: organization) { transaction in
                    try await transaction.query("SELECT DISTINCT org_id FROM usage_events").decode(UUID.self)
                }
                #expect(seen == [organization])
            }
        }
    }

    @Test func `months are made ahead, and what came before its month was made moves into it`() async throws {
        try await MeteringWorld.with { world in
            let moment = Timestamp(microseconds: 4_102_444_800_000_000)  // 2100-01-01
            try await world.book([world.call(cost: 5, at: moment)])
            #expect(try await world.number("SELECT count(*) FROM usage_events_other") == 1)
            #expect(try await world.store.makePartitions(at: moment, monthsAhead: 2) == 3)
            #expect(try await world.store.makePartitions(at: moment, monthsAhead: 2) == 0)
            #expect(try await world.number("SELECT count(*) FROM usage_events_other") == 0)
            #expect(try await world.number("SELECT count(*) FROM usage_events_210001") == 1)
            #expect(try await world.book([world.call(cost: 5, at: moment)]) == 1)
        }
    }
}
