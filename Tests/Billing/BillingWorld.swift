import Base
import Billing
import Identity
import Loop
import Postgres
import TestKit

/// Organizations that pay, on a real PostgreSQL with the migrations of the product, as the application's role, in a time of
/// their own.
// Confined to its loop.
final class BillingWorld: @unchecked Sendable {
    static let patience = Duration.seconds(60)
    static let start = Timestamp(seconds: 1_800_000_000)

    let pool: PostgresPool
    /// The superuser: whoever has the database in their hands.
    let owner: PostgresConnection
    let identity: IdentityStore
    let store: BillingStore
    let idempotency: IdempotencyStore
    private let books = Locked(Books())

    struct Books: Sendable {
        var now = BillingWorld.start
        var reminders: [Reminder] = []
        var announced: [KeyChange] = []
    }

    var now: Timestamp {
        get { books.withLock { $0.now } }
        set { books.withLock { $0.now = newValue } }
    }
    var reminders: [Int] { books.withLock { $0.reminders.map(\.count) } }
    var announced: [KeyChange] { books.withLock { $0.announced } }

    /// As a drain books what calls have used that no wallet pays for.
    func use(_ organization: UUID, usage: Int64, commission: Int64 = 0) async throws {
        for (account, amount) in [("usage_revenue", usage), ("commission_revenue", commission)]
        where amount > 0 {
            _ = try await owner.query(
                """
                INSERT INTO ledger_transfers (id, org_id, debit, credit, amount_nano, reason, batch_id)
                VALUES (\(UUID.make()), \(organization), 'receivable', \(account), \(amount), 'usage', \(UUID.make()))
                """)
        }
    }

    /// In nano-dollars, what it has more than was taken from it.
    func balance(_ account: String, of organization: UUID) async throws -> Int64 {
        try await owner.query(
            "SELECT balance_nano FROM ledger_accounts WHERE org_id = \(organization) AND kind = \(account)"
        ).first?.decode(Int64.self) ?? 0
    }

    func owedCents(by organization: UUID) async throws -> Int64 {
        -(try await balance("receivable", of: organization)) / USCents.nanodollars
    }

    private init(on loop: EventLoop, _ database: MigratedDatabase, _ owner: PostgresConnection) async throws {
        self.owner = owner
        var limits = PoolLimits()
        limits.maximum = 16
        limits.waitTimeout = Self.patience
        pool = try database.pool(limits, on: loop)
        let vault = Vault(try MasterKeys(parsing: Secret(MasterKeys.newFile())))
        let audit = AuditLog(secret: try await InstanceSecrets(pool, vault).secret(.audit))
        identity = IdentityStore(
            pool, peppers: try KeyPeppers(parsing: Secret("1:\(String(repeating: "p", count: 32))")),
            vault: vault, audit: audit, settings: IdentityStore.Settings(publicURL: "https://hivegate.test"))
        let books = books
        let time = TimeSource(instant: Instant.now, timestamp: { books.withLock { $0.now } })
        store = BillingStore(
            pool, identity: identity,
            remind: { reminder, _ in books.withLock { $0.reminders.append(reminder) } }, time: time)
        idempotency = IdempotencyStore(pool, time: time)
    }

    static func run(_ body: @escaping @Sendable (BillingWorld) async throws -> Void) async throws {
        let database = try await MigratedDatabase()
        try await onLoop { loop in
            let owner = try await database.owner(on: loop)
            defer { owner.close() }
            let world = try await BillingWorld(on: loop, database, owner)
            try await world.store.apply(.unified)
            try await body(world)
            await world.pool.close(until: .now() + patience)
        }
    }

    func makeOrganization(_ name: String) async throws -> UUID {
        try await identity.found(
            organization: name, owner: "\(name)@example.com", password: PasswordHash(stored: "none"),
            by: .command
        ).organization
    }

    var scheduler: BillingScheduler {
        let books = books
        return BillingScheduler(store) { change in books.withLock { $0.announced.append(change) } }
    }

    func pass(days: Int) { now = now + .seconds(days * 86_400) }

    func pay(
        _ invoice: Invoice, _ cents: Int64? = nil, reference: String = UUID.make().description
    ) async throws -> BillingStore.InvoiceChange {
        try await store.record(
            BillingStore.Payment(
                cents: cents ?? invoice.restCents, method: "bank_transfer", reference: reference, paidAt: now),
            for: invoice.id, of: invoice.organization, by: .command)
    }

    func invoices(of organization: UUID) async throws -> [Invoice] {
        try await store.invoices(of: organization, limit: 100).reversed()
    }

    func plan(of organization: UUID) async throws -> String? {
        try await identity.limits(ofAny: organization).plan
    }
}

/// The code of the problem that `body` throws; nil: none.
func problem(_ body: () async throws -> Void) async throws -> String? {
    do {
        try await body()
        return nil
    } catch let problem as Problem {
        return problem.code
    }
}
