import Base
import Identity
import Loop
import Postgres
import TestKit
import Testing

/// Against a real PostgreSQL with the migrations of the product, as the application's role.
struct IdentityStoreTests {
    private static let peppers = "1:\(String(repeating: "p", count: 32))"

    private struct World {
        let pool: PostgresPool
        let store: IdentityStore
        let peppers: KeyPeppers
        /// As the superuser: for what the application cannot do itself yet.
        let owner: PostgresConnection
    }

    private func withWorld(_ body: @escaping @Sendable (World) async throws -> Void) async throws {
        let database = try await MigratedDatabase()
        try await onLoop { loop in
            let owner = try await database.owner(on: loop)
            defer { owner.close() }
            let pool = try database.pool(on: loop)
            let peppers = try KeyPeppers(parsing: Secret(Self.peppers))
            let vault = Vault(try MasterKeys(parsing: Secret(MasterKeys.newFile())))
            let store = IdentityStore(
                pool, peppers: peppers, vault: vault,
                audit: AuditLog(secret: try await InstanceSecrets(pool, vault).secret(.audit)),
                settings: IdentityStore.Settings(publicURL: "https://hivegate.test"))
            try await body(World(pool: pool, store: store, peppers: peppers, owner: owner))
            await pool.close(until: .now() + .seconds(5))
        }
    }

    private static let password = PasswordHash(stored: "$argon2id$test")

    @Test func `a founded organization's key leads to its owner, and a revoked one to nobody`() async throws {
        try await withWorld { world in
            let founding = try await world.store.found(
                organization: "Acme", owner: "Ann@Acme.example", password: Self.password, by: .command)
            let digests = world.peppers.digests(of: founding.key)
            let caller = try #require(try await world.store.caller(of: digests))
            #expect(caller.organization == founding.organization)
            #expect(caller.user == founding.user)
            #expect(caller.role == .owner)
            #expect(caller.scopes == .inference)
            #expect(caller.allowedModels == nil)
            #expect(try await world.store.caller(of: world.peppers.digests(of: .make())) == nil)

            let (second, _) = try await world.store.makeKey(
                NewKey(name: "second"), for: founding.user, of: founding.organization, by: .command)
            let change = try await world.store.revokeKey(
                caller.key, of: founding.organization, by: .command)
            #expect((change.organization, change.generation) == (founding.organization, 1))
            await #expect(throws: Problem.self) {
                try await world.store.revokeKey(caller.key, of: founding.organization, by: .command)
            }
            #expect(try await world.store.caller(of: digests) == nil)
            #expect(
                try await world.store.caller(of: world.peppers.digests(of: second))?.user == founding.user)
        }
    }

    @Test func `a founding that fails leaves nothing behind`() async throws {
        try await withWorld { world in
            _ = try await world.store.found(
                organization: "One", owner: "a@x.example", password: Self.password, by: .command)
            // An account that is there founds a further one.
            let second = try await world.store.found(
                organization: "Two", owner: "A@X.example", password: Self.password, by: .command)
            #expect(!second.isNewAccount)
            await #expect(throws: PostgresError.self) {
                try await world.store.found(
                    organization: "", owner: "b@x.example", password: Self.password, by: .command)
            }
            let again = try await world.store.found(
                organization: "Two", owner: "b@x.example", password: Self.password, by: .command)
            #expect(try await world.store.caller(of: world.peppers.digests(of: again.key)) != nil)
        }
    }

    @Test func `a key whose owner was disabled, or whose organization was deleted, is nobody's`() async throws
    {
        try await withWorld { world in
            for table in ["users", "organizations"] {
                let founding = try await world.store.found(
                    organization: "Acme", owner: "\(table)@x.example", password: Self.password, by: .command)
                let digests = world.peppers.digests(of: founding.key)
                #expect(try await world.store.caller(of: digests) != nil)
                if table == "users" {
                    try await world.owner.execute(
                        "UPDATE users SET disabled_at = now() WHERE id = \(founding.user)")
                } else {
                    try await world.owner.execute(
                        "UPDATE organizations SET deleted_at = now() WHERE id = \(founding.organization)")
                }
                #expect(try await world.store.caller(of: digests) == nil)
            }
        }
    }

    @Test func `an organization sees its own rows and no other's, and nobody sees any without one`()
        async throws
    {
        try await withWorld { world in
            let first = try await world.store.found(
                organization: "A", owner: "a@x.example", password: Self.password, by: .command)
            let second = try await world.store.found(
                organization: "B", owner: "b@x.example", password: Self.password, by: .command)
            let tables: [SQL] = [
                "SELECT count(*)::int FROM organizations", "SELECT count(*)::int FROM users",
                "SELECT count(*)::int FROM memberships", "SELECT count(*)::int FROM api_keys",
            ]
            for table in tables {
                for tenant in [first.organization, second.organization] {
                    let count = try await world.pool.transaction(tenant: tenant) { transaction in
                        try await transaction.query(table)[0].decode(Int32.self)
                    }
                    #expect(count == 1, "\(table)")
                }
                #expect(try await world.pool.query(table)[0].decode(Int32.self) == 0, "\(table)")
            }
            await #expect(throws: PostgresError.self) {
                try await world.pool.transaction(tenant: first.organization) { transaction in
                    try await transaction.execute(
                        "INSERT INTO memberships (org_id, user_id, role) VALUES (\(second.organization), \(first.user), 'owner')"
                    )
                }
            }
            let changed = try await world.pool.transaction(tenant: first.organization) { transaction in
                try await transaction.execute(
                    "UPDATE api_keys SET name = 'x' WHERE org_id = \(second.organization)")
            }
            #expect(changed == 0)
        }
    }

    @Test
    func `every table of a tenant is guarded, also against its owner, and the application owns nothing`()
        async throws
    {
        try await withWorld { world in
            let unguarded = try await world.pool.query(
                """
                SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
                WHERE nspname = 'public' AND relkind IN ('r', 'p') AND relname <> 'hivegate_migrations'
                  AND NOT (relrowsecurity AND relforcerowsecurity)
                """
            ).decode(String.self)
            #expect(unguarded == [])
            let role = try await world.pool.query(
                """
                SELECT rolsuper, rolbypassrls, EXISTS (SELECT FROM pg_class WHERE relowner = pg_roles.oid)
                FROM pg_roles WHERE rolname = current_user
                """)[0].decode((Bool, Bool, Bool).self)
            #expect(role == (false, false, false))
        }
    }
}
