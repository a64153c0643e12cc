import Analytics
import Base
import Chat
import Loop
import Metering
import Postgres
import TestKit

/// A database with the migrations of the product, and use in it.
struct AnalyticsWorld: Sendable {
    let analytics: AnalyticsStore
    let usage: UsageStore
    /// Who may do everything.
    let owner: PostgresConnection
    let organization = UUID.make()
    let user = UUID.make()
    let key = UUID.make()

    /// On a loop.
    static func with(_ body: @escaping @Sendable (AnalyticsWorld) async throws -> Void) async throws {
        let database = try await MigratedDatabase()
        try await onLoop { loop in
            let owner = try await database.owner(on: loop)
            defer { owner.close() }
            let pool = try database.pool(on: loop)
            let world = AnalyticsWorld(
                analytics: AnalyticsStore(pool), usage: UsageStore(pool), owner: owner)
            _ = try await owner.query(
                "INSERT INTO organizations (id, name) VALUES (\(world.organization), 'acme')")
            try await body(world)
            await pool.close(until: .now() + .seconds(5))
        }
    }

    /// A call that was answered.
    func call(
        at moment: Timestamp, cost: Int64 = 1000, commission: Int64 = 0,
        latency: Duration = .milliseconds(500),
        model: String = "openai/gpt-5", _ change: (inout UsageEvent) -> Void = { _ in }
    ) -> UsageEvent {
        var event = UsageEvent(
            id: .make(at: moment), requestID: "req_1", organization: organization, user: user, key: key,
            endpoint: "createChatCompletion", model: "gpt-5", at: moment,
            attempts: [
                UsageEvent.Attempt(
                    provider: "openai", model: model, started: moment, latency: latency, outcome: .answered,
                    cost: cost
                ) {
                    $0.usage = ChatUsage(input: 100, cacheRead: 20, output: 30)
                    ($0.commission, $0.charge) = (commission, cost + commission)
                }
            ]
        ) { _ in }
        change(&event)
        return event
    }

    func book(_ events: [UsageEvent]) async throws {
        for start in stride(from: 0, to: events.count, by: 1000) {
            let end = min(events.count, start + 1000)
            _ = try await usage.store(events[start..<end].map(JournalEntry.init))
        }
    }

    func number(_ sql: SQL) async throws -> Int64 { try await owner.query(sql).decode(Int64.self)[0] }
}

/// A moment of November 2026, in UTC.
func moment(day: Int, _ hour: Int = 0, _ minute: Int = 0) -> Timestamp {
    // The first of it.
    Timestamp(seconds: 1_793_491_200 + Int64((day - 1) * 86_400 + hour * 3600 + minute * 60))
}
