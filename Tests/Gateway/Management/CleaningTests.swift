import Base
import Identity
import Postgres
import Testing

struct CleaningTests {
    @Test func `a deleted organization comes to its end after 30 days, not before, and its trail stays`()
        async throws
    {
        try await ManagementWorld.run { world in
            let cast = try await Cast.make(in: world)
            let other = try await Cast.make(in: world)
            let before = try await other.fingerprint(world)
            _ = try await world.store.delete(cast.organization, by: .command)
            #expect(try await world.store.clean() == 0)
            try await world.owner.execute(
                """
                UPDATE organizations SET deleted_at = now() - interval '30 days 1 minute'
                WHERE id = \(cast.organization)
                """)
            #expect(try await world.store.clean() == 1)
            #expect(try await world.store.clean() == 0)
            for table in [
                "api_keys", "provider_credentials", "invitations", "memberships", "budgets", "money_limits",
            ] {
                let rows = try await world.owner.query(
                    "SELECT FROM \(unsafeSQL: table) WHERE org_id = \(cast.organization)")
                #expect(rows.isEmpty, "\(table)")
            }
            let rows = try await world.owner.query("SELECT FROM organizations WHERE name = \(cast.canary)")
            #expect(rows.isEmpty)
            #expect(
                try await AuditVerification(world.pool, world.audit).verify(cast.organization).breach == nil)
            #expect(try await other.fingerprint(world) == before)
        }
    }

    @Test func `the application cannot end an organization that is alive`() async throws {
        try await ManagementWorld.run { world in
            let cast = try await Cast.make(in: world)
            let before = try await cast.fingerprint(world)
            let ended = try await world.pool.query("SELECT purge_organization(\(cast.organization))")
            #expect(try ended[0].decode(Bool.self) == false)
            await #expect(throws: PostgresError.self) {
                try await world.pool.transaction(tenant: cast.organization) { transaction in
                    try await transaction.execute("DELETE FROM api_keys")
                }
            }
            #expect(try await cast.fingerprint(world) == before)
        }
    }

    @Test func `what has ended long ago is removed, what is good stays`() async throws {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            let out = try await world.signIn(ann.email)
            _ = try await world.send("POST", "/api/auth/logout", as: out)
            _ = try await world.store.clean()
            func sessions() async throws -> Int {
                try await world.owner.query("SELECT FROM sessions").count
            }
            #expect(try await sessions() == 2)
            world.age(.seconds(29 * 86_400))
            let fresh = try await world.refresh(ann.refreshToken)
            #expect(fresh.status == 200)
            world.age(.seconds(2 * 86_400))
            _ = try await world.store.clean()
            #expect(try await sessions() == 1)
        }
    }
}
