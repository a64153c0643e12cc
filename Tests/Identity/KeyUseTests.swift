import Base
import Identity
import Postgres
import TestKit
import Testing

/// When a key was last used, against a real PostgreSQL as the application's role.
struct KeyUseTests {
    private func lastUse(_ key: UUID, of organization: UUID, _ world: KeyWorld) async throws -> Timestamp? {
        try await world.pool.transaction(tenant: organization) { transaction in
            try await transaction.query("SELECT last_used_at FROM api_keys WHERE id = \(key)")[0]
                .decode(Timestamp?.self)
        }
    }

    private func caller(_ key: APIKey, _ world: KeyWorld) async throws -> Caller {
        try #require(try await world.store.caller(of: world.peppers.digests(of: key)))
    }

    private static let noon = Timestamp(seconds: 1_800_000_000)

    @Test func `the use of keys is noted for all organizations together, and never goes back`() async throws {
        try await KeyWorld.run { world in
            let other = try await world.store.found(
                organization: "Other", owner: "bob@other.example", password: PasswordHash(stored: "none"),
                by: .command)
            let callers = [
                try await caller(world.makeKey(), world), try await caller(other.key, world),
            ]
            let shared = SharedKeys()
            let writer = KeyUseWriter(shared, world.pool, logger: .silent)
            for caller in callers {
                shared.uses.note(caller.key, at: Self.noon)
                shared.uses.note(caller.key, at: Self.noon + .seconds(5))
            }
            // One that does not exist is nothing to stop for.
            shared.uses.note(.make(), at: Self.noon)
            await writer.write()
            for caller in callers { shared.uses.note(caller.key, at: Self.noon + .seconds(2)) }
            await writer.close()
            #expect(shared.uses.count == 0)
            for caller in callers {
                let last = try await lastUse(caller.key, of: caller.organization, world)
                #expect(last == Self.noon + .seconds(5))
            }
        }
    }

    @Test func `a key that is served is noted, one that is refused is not`() async throws {
        try await KeyWorld.run { world in
            let process = try await world.process()
            let used = try await world.makeKey()
            let expired = try await world.makeKey()
            let keys = (try await caller(used, world), try await caller(expired, world))
            try await world.pool.transaction(tenant: world.organization) { transaction in
                try await transaction.execute(
                    "UPDATE api_keys SET expires_at = \(Self.noon + .seconds(-1_000_000_000)) WHERE id = \(keys.1.key)"
                )
            }
            _ = try await process.ring.caller(presenting: used)
            #expect(try await process.ring.caller(presenting: expired) == nil)
            let writer = KeyUseWriter(process.shared, world.pool, logger: .silent)
            await writer.close()
            #expect(try await lastUse(keys.0.key, of: world.organization, world) != nil)
            #expect(try await lastUse(keys.1.key, of: world.organization, world) == nil)
            await process.close()
        }
    }

    @Test func `a key that somebody is changing is left out, and nobody waits`() async throws {
        try await KeyWorld.run { world in
            let caller = try await caller(world.makeKey(), world)
            let other = try await self.caller(world.makeKey(), world)
            let shared = SharedKeys()
            let writer = KeyUseWriter(shared, world.pool, logger: .silent)
            try await world.pool.transaction(tenant: world.organization) { transaction in
                try await transaction.execute("UPDATE api_keys SET name = 'x' WHERE id = \(caller.key)")
                shared.uses.note(caller.key, at: Self.noon)
                shared.uses.note(other.key, at: Self.noon)
                await writer.write()
            }
            #expect(try await lastUse(caller.key, of: world.organization, world) == nil)
            #expect(try await lastUse(other.key, of: world.organization, world) == Self.noon)
            await writer.close()
        }
    }

    @Test func `what the database does not take is kept for later`() async throws {
        try await KeyWorld.run { world in
            let process = try await world.process()
            let shared = SharedKeys()
            let writer = KeyUseWriter(shared, process.pool, logger: .silent)
            shared.uses.note(.make(), at: Self.noon)
            await process.pool.close(until: .now() + KeyWorld.patience)
            await writer.write()
            #expect(shared.uses.count == 1)
            await writer.close()
            await process.close()
        }
    }

    @Test(arguments: [
        "revoked_at = NULL", "name = 'stolen'", "digest = decode(repeat('00', 32), 'hex')",
        "scopes = '{admin}'",
        "expires_at = NULL, last_used_at = now()",
    ])
    func `the system may change nothing else of a key`(change: String) async throws {
        try await KeyWorld.run { world in
            let caller = try await caller(world.makeKey(), world)
            try await world.pool.transaction(tenant: world.organization) { transaction in
                try await transaction.execute("UPDATE api_keys SET revoked_at = now(), expires_at = now()")
            }
            await #expect(throws: PostgresError.self) {
                try await world.pool.transaction { transaction in
                    try await transaction.execute("SELECT set_config('app.system', 'on', true)")
                    return try await transaction.execute(
                        "UPDATE api_keys SET \(unsafeSQL: change) WHERE id = \(caller.key)")
                }
            }
        }
    }

    @Test func `the system neither makes keys nor removes any`() async throws {
        try await KeyWorld.run { world in
            let caller = try await caller(world.makeKey(), world)
            let statements: [SQL] = [
                "DELETE FROM api_keys WHERE id = \(caller.key)",
                """
                INSERT INTO api_keys (id, org_id, user_id, name, digest, pepper_version, last_four)
                VALUES (\(UUID.make()), \(caller.organization), \(caller.user), 'x', decode(repeat('00', 32), 'hex'), 1::smallint, 'abcd')
                """,
            ]
            for statement in statements {
                await #expect(throws: PostgresError.self) {
                    try await world.pool.transaction { transaction in
                        try await transaction.execute("SELECT set_config('app.system', 'on', true)")
                        return try await transaction.execute(statement)
                    }
                }
            }
        }
    }
}
