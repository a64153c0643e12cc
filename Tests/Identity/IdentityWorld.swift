import Base
import Identity
import Loop
import Postgres
import TestKit

/// Organizations on a real PostgreSQL with the migrations of the product, as the application's role, and a superuser who
/// reaches past it.
// Confined to its loop.
final class IdentityWorld: @unchecked Sendable {
    static let patience = Duration.seconds(60)

    let loop: EventLoop
    let pool: PostgresPool
    /// The superuser: whoever has the database in their hands.
    let owner: PostgresConnection
    let vault: Vault
    let audit: AuditLog
    let store: IdentityStore

    struct Tenant: Sendable {
        let organization: UUID
        let user: UUID
        let email: String
    }

    private init(
        on loop: EventLoop, _ database: MigratedDatabase, _ owner: PostgresConnection, masterKeys: String
    ) async throws {
        self.loop = loop
        self.owner = owner
        var limits = PoolLimits()
        limits.maximum = 16
        limits.waitTimeout = Self.patience
        pool = try database.pool(limits, on: loop)
        vault = Vault(try MasterKeys(parsing: Secret(masterKeys)))
        audit = AuditLog(secret: try await InstanceSecrets(pool, vault).secret(.audit))
        store = try Self.store(pool, vault, audit)
    }

    static func run(
        masterKeys: String = MasterKeys.newFile(),
        _ body: @escaping @Sendable (IdentityWorld) async throws -> Void
    ) async throws {
        let database = try await MigratedDatabase()
        try await onLoop { loop in
            let owner = try await database.owner(on: loop)
            defer { owner.close() }
            let world = try await IdentityWorld(on: loop, database, owner, masterKeys: masterKeys)
            try await body(world)
            await world.pool.close(until: .now() + patience)
        }
    }

    /// The same database, seen by a process with another file of master keys.
    func store(masterKeys: String) throws -> IdentityStore {
        try Self.store(pool, Vault(MasterKeys(parsing: Secret(masterKeys))), audit)
    }

    /// The same where new organizations have a plan.
    func store(planOfNew plan: String) throws -> IdentityStore {
        try Self.store(pool, vault, audit) { $0.planOfNew = plan }
    }

    private static func store(
        _ pool: PostgresPool, _ vault: Vault, _ audit: AuditLog,
        _ change: (inout IdentityStore.Settings) -> Void = { _ in }
    ) throws -> IdentityStore {
        var settings = IdentityStore.Settings(publicURL: "https://hivegate.test")
        change(&settings)
        return IdentityStore(
            pool, peppers: try KeyPeppers(parsing: Secret("1:\(String(repeating: "p", count: 32))")),
            vault: vault, audit: audit, settings: settings)
    }

    func makeTenant(_ name: String) async throws -> Tenant {
        let email = "\(name)@example.com"
        let founding = try await store.found(
            organization: name, owner: email, password: PasswordHash(stored: "none"), by: .command)
        return Tenant(organization: founding.organization, user: founding.user, email: email)
    }

    /// Somebody of `tenant` at work, with all that an entry of the audit trail can hold.
    func actor(of tenant: Tenant) -> Actor {
        Actor(.key, user: tenant.user, key: .make(), address: "192.0.2.7", requestID: "req_1")
    }
}
