import Admission
import Base
import Chat
import HTTPClient
import Identity
import Loop
import Metering
import Postgres
import TestKit

@testable import Budgets

/// In nano-dollars.
let dollar: Int64 = 1_000_000_000

/// An organization with budgets and books, on a real PostgreSQL as the application's role, in a time of its own.
// Confined to its loop.
final class BudgetWorld: @unchecked Sendable {
    /// 2027-01-15T08:00:00Z, a Friday.
    static let start = Timestamp(seconds: 1_800_000_000)

    let loop: EventLoop
    let pool: PostgresPool
    /// Who may do everything.
    let owner: PostgresConnection
    let identity: IdentityStore
    let store: BudgetStore
    let usage: UsageStore
    let client: HTTPClient
    let metrics = Metrics()
    private let counters: BudgetCounters
    private(set) var organization = UUID.make()
    let user = UUID.make()
    let key = UUID.make()
    private let state = Locked(State())

    struct State: Sendable {
        var now = BudgetWorld.start
        var announced: [KeyChange] = []
        var takenBack: [UUID] = []
    }

    var now: Timestamp {
        get { state.withLock { $0.now } }
        set { state.withLock { $0.now = newValue } }
    }
    var announced: [KeyChange] { state.withLock { $0.announced } }
    var takenBack: [UUID] { state.withLock { $0.takenBack } }

    private init(on loop: EventLoop, _ database: MigratedDatabase, _ owner: PostgresConnection) async throws {
        self.loop = loop
        self.owner = owner
        var limits = PoolLimits()
        limits.maximum = 8
        pool = try database.pool(limits, on: loop)
        let vault = Vault(try MasterKeys(parsing: Secret(MasterKeys.newFile())))
        let audit = AuditLog(secret: try await InstanceSecrets(pool, vault).secret(.audit))
        let state = state
        let time = TimeSource(instant: Instant.now, timestamp: { state.withLock { $0.now } })
        identity = IdentityStore(
            pool, peppers: try KeyPeppers(parsing: Secret("1:\(String(repeating: "p", count: 32))")),
            vault: vault, audit: audit, settings: IdentityStore.Settings(publicURL: "https://hivegate.test"))
        store = BudgetStore(pool, identity: identity, time: time)
        usage = UsageStore(pool)
        client = HTTPClient(on: loop)
        counters = BudgetCounters(in: metrics)
        organization = try await makeOrganization("acme")
    }

    static func run(_ body: @escaping @Sendable (BudgetWorld) async throws -> Void) async throws {
        let database = try await MigratedDatabase()
        try await onLoop { loop in
            let owner = try await database.owner(on: loop)
            defer { owner.close() }
            let world = try await BudgetWorld(on: loop, database, owner)
            do { try await body(world) } catch {
                print((error as? PostgresError)?.debugDescription ?? "\(error)")
                throw error
            }
            await world.pool.close(until: .now() + .seconds(10))
        }
    }

    func makeOrganization(_ name: String, zone: String = "UTC") async throws -> UUID {
        let made = try await identity.found(
            organization: name, owner: "\(name)@example.com", password: PasswordHash(stored: "none"),
            by: .command
        ).organization
        try await move(made, to: zone)
        return made
    }

    func move(_ organization: UUID, to zone: String) async throws {
        _ = try await owner.query("UPDATE organizations SET time_zone = \(zone) WHERE id = \(organization)")
    }

    /// What a process does every few seconds.
    func watch(usual: Int64? = nil) -> BudgetWatch {
        let state = state
        return BudgetWatch(
            store, webhooks, counters: counters, usual: usual,
            announce: { change in state.withLock { $0.announced.append(change) } },
            takeBack: { limits, _ in state.withLock { $0.takenBack += limits } })
    }

    var webhooks: BudgetWebhooks {
        BudgetWebhooks(
            store, client, OutboundPolicy(allowing: [IPNetwork("127.0.0.0/8")].compactMap(\.self)))
    }

    func create(
        _ nanodollars: Int64 = 100 * dollar, of subject: LimitSubject = .organization,
        each period: BudgetPeriod = .month, _ change: (inout NewBudget) -> Void = { _ in }
    ) async throws -> BudgetStore.Change {
        try await store.create(
            NewBudget("budget", of: subject, each: period, nanodollars: nanodollars, change),
            of: organization,
            by: .command)
    }

    /// Books a call that has ended now, as a drain does.
    func spend(
        _ cost: Int64, commission: Int64 = 0, paidBy limits: [UUID] = [], at moment: Timestamp? = nil,
        of organization: UUID? = nil, _ change: (inout UsageEvent) -> Void = { _ in }
    ) async throws {
        let moment = moment ?? now
        var event = UsageEvent(
            id: .make(at: moment), requestID: "req_1", organization: organization ?? self.organization,
            user: user, key: key, endpoint: "createChatCompletion", model: "gpt-5", at: moment,
            attempts: [
                UsageEvent.Attempt(
                    provider: "openai", model: "openai/gpt-5", started: moment + .milliseconds(-500),
                    latency: .milliseconds(500), outcome: .answered, cost: cost
                ) {
                    $0.usage = ChatUsage(input: 100, output: 30)
                    ($0.commission, $0.charge) = (commission, cost + commission)
                }
            ])
        event.charges = limits.map { UsageEvent.Charge(limit: $0, nanodollars: cost + commission) }
        change(&event)
        try await usage.store([JournalEntry(event)])
    }

    func window(_ budget: UUID) async throws -> BudgetWindow? {
        try await store.budget(budget, of: organization).window
    }

    func number(_ sql: SQL) async throws -> Int64 { try await owner.query(sql).decode(Int64.self)[0] }

    /// The first difference in the books; nil: they agree.
    func difference() async throws -> String? {
        var found: String?
        try await BookVerification(pool).run { check in
            if found == nil, let difference = check.difference { found = "\(check.name): \(difference)" }
        }
        return found
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
