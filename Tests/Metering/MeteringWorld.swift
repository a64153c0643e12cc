import Base
import Chat
import Glibc
import Loop
import Postgres
import TestKit

@testable import Metering

/// In nano-dollars.
let dollar: Int64 = 1_000_000_000
let cent = dollar / 100

/// A database with the migrations of the product, and books in it.
struct MeteringWorld: Sendable {
    let pool: PostgresPool
    let store: UsageStore
    /// Who may do everything.
    let owner: PostgresConnection
    let organization = UUID.make()
    let user = UUID.make()
    let key = UUID.make()

    /// On a loop.
    static func with(_ body: @escaping @Sendable (MeteringWorld) async throws -> Void) async throws {
        let database = try await MigratedDatabase()
        try await onLoop { loop in
            let owner = try await database.owner(on: loop)
            defer { owner.close() }
            let pool = try database.pool(on: loop)
            let world = MeteringWorld(pool: pool, store: UsageStore(pool), owner: owner)
            try await world.found(world.organization)
            try await body(world)
            await pool.close(until: .now() + .seconds(5))
        }
    }

    func found(_ organization: UUID) async throws {
        _ = try await owner.query("INSERT INTO organizations (id, name) VALUES (\(organization), 'acme')")
    }

    /// A call that was answered at once, and what its provider asks for it.
    func call(
        cost: Int64?, commission: Int64 = 0, charge: Int64? = nil, paidBy limits: [UUID] = [],
        isPrepaid: Bool = false,
        at moment: Timestamp = .now(), _ change: (inout UsageEvent) -> Void = { _ in }
    ) -> UsageEvent {
        let charge = charge ?? (cost ?? 0) + commission
        var event = UsageEvent(
            id: .make(at: moment), requestID: "req_1", organization: organization, user: user, key: key,
            endpoint: "createChatCompletion", model: "gpt-5", at: moment,
            attempts: [
                UsageEvent.Attempt(
                    provider: "openai", model: "openai/gpt-5", started: moment + .milliseconds(-500),
                    latency: .milliseconds(500), outcome: .answered, cost: cost
                ) {
                    $0.usage = ChatUsage(input: 100, cacheRead: 20, output: 30)
                    ($0.commission, $0.charge) = (commission, charge)
                    $0.timeToFirstToken = .milliseconds(120)
                }
            ]
        ) {
            $0.isPrepaid = isPrepaid
            $0.charges = limits.map { UsageEvent.Charge(limit: $0, nanodollars: charge) }
        }
        change(&event)
        return event
    }

    @discardableResult
    func book(_ events: [UsageEvent]) async throws -> Int {
        do { return try await store.store(events.map(JournalEntry.init)) } catch {
            print((error as? PostgresError)?.debugDescription ?? "")
            throw error
        }
    }

    func makeLimit(_ cap: Int64, wallet: Bool = false, granted: Int64 = 0) async throws -> UUID {
        let id = UUID.make()
        let start: Timestamp? = wallet ? nil : .now() + .seconds(-3600)
        let end: Timestamp? = wallet ? nil : .now() + .seconds(3600)
        _ = try await owner.query(
            """
            INSERT INTO money_limits (id, org_id, kind, subject, window_start, window_end, cap_nano, granted_nano)
            VALUES (\(id), \(organization), \(wallet ? "wallet" : "budget"), 'organization', \(start), \(end),
                \(cap), \(granted))
            """)
        return id
    }

    func fill(_ account: String, _ amount: Int64) async throws {
        _ = try await owner.query(
            """
            INSERT INTO ledger_transfers (id, org_id, debit, credit, amount_nano, reason)
            VALUES (\(UUID.make()), \(organization), 'cash', \(account), \(amount), 'top_up')
            """)
    }

    func balance(_ account: String, of organization: UUID? = nil) async throws -> Int64 {
        try await owner.query(
            """
            SELECT coalesce(sum(balance_nano), 0)::bigint FROM ledger_accounts
            WHERE org_id = \(organization ?? self.organization) AND kind = \(account)
            """
        ).decode(Int64.self)[0]
    }

    func number(_ sql: SQL) async throws -> Int64 { try await owner.query(sql).decode(Int64.self)[0] }
}

func setting(_ name: String) -> Int? { getenv(name).flatMap { Int(String(cString: $0)) } }
