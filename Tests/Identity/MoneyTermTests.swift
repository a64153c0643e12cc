import Base
import Identity
import Loop
import Postgres
import TestKit
import Testing

/// An organization's limits on money come with its callers, against a real PostgreSQL.
struct MoneyTermTests {
    private static func change(
        _ world: KeyWorld, _ statement: SQL, of organization: UUID? = nil
    ) async throws -> Int64 {
        let organization = organization ?? world.organization
        return try await world.pool.transaction(tenant: organization) { transaction in
            _ = try await transaction.execute(statement)
            return try await transaction.query(
                "SELECT key_generation FROM organizations WHERE id = \(organization)")[0].decode(Int64.self)
        }
    }

    private static func insertion(
        _ world: KeyWorld, _ id: UUID, kind: String = "budget", _ subject: String, start: Timestamp? = nil,
        end: Timestamp? = nil
    ) -> SQL {
        """
        INSERT INTO money_limits (id, org_id, kind, subject, window_start, window_end, cap_nano)
        VALUES (\(id), \(world.organization), \(kind), \(subject), \(start), \(end), 1000)
        """
    }

    private static func terms(_ key: APIKey, _ world: KeyWorld) async throws -> OrganizationTerms? {
        try #require(try await world.store.caller(of: world.peppers.digests(of: key))).terms
    }

    @Test func `limits on money come with the caller until they end`() async throws {
        try await KeyWorld.run { world in
            let key = try await world.makeKey()
            let none = try await Self.terms(key, world)
            #expect(none == nil)
            let now = Timestamp.now()
            let hour = Duration.seconds(3600)
            var ids: [UUID] = []
            let limits: [(kind: String, subject: String, start: Timestamp?, end: Timestamp?)] = [
                ("wallet", "organization", nil, nil), ("budget", "user:\(world.user)", nil, nil),
                ("budget", "model:acme/one", now + hour, now + hour + hour),
                ("budget", "organization", now + .seconds(-7200), now + .seconds(-3600)),
            ]
            for limit in limits {
                ids.append(UUID.make())
                _ = try await Self.change(
                    world,
                    Self.insertion(
                        world, ids[ids.count - 1], kind: limit.kind, limit.subject, start: limit.start,
                        end: limit.end))
            }
            let terms = try #require(try await Self.terms(key, world))
            let found = terms.moneyLimits
            #expect(Set(found.map(\.id)) == Set(ids.prefix(3)))
            #expect(found.map(\.id.description) == found.map(\.id.description).sorted())
            for (id, limit) in zip(ids, limits.prefix(3)) {
                let term = try #require(found.first { $0.id == id })
                #expect((term.isWallet, term.subject) == (limit.kind == "wallet", limit.subject))
                #expect(term.window?.lowerBound == limit.start && term.window?.upperBound == limit.end)
            }
            #expect(!found.contains { $0.subject == "model:acme/one" && $0.holds(at: now) })
            let same = try await world.store.terms(of: world.organization)
            #expect(same == terms)
        }
    }

    @Test func `the generation of the keys rises with what callers remember, and not with what is spent`()
        async throws
    {
        try await KeyWorld.run { world in
            let id = UUID.make()
            let first = try await Self.change(world, Self.insertion(world, id, "organization"))
            let spent = try await Self.change(
                world,
                "UPDATE money_limits SET granted_nano = 10, settled_nano = 5, cap_nano = 2000 WHERE id = \(id)"
            )
            #expect(spent == first)
            let moved = try await Self.change(
                world,
                """
                UPDATE money_limits SET window_start = now(), window_end = now() + interval '1 hour'
                WHERE id = \(id)
                """)
            #expect(moved == first + 1)
            let renamed = try await Self.change(
                world, "UPDATE money_limits SET subject = 'model:acme/one' WHERE id = \(id)")
            #expect(renamed == first + 2)
            var owner = world.database
            owner.role = nil
            let connection = try await PostgresConnection.connect(owner, on: world.loop)
            defer { connection.close() }
            try await connection.execute("SELECT set_config('app.org_id', \("\(world.organization)"), false)")
            try await connection.execute("DELETE FROM money_limits")
            let gone = try await Self.change(world, "SELECT 1")
            #expect(gone == first + 3)
        }
    }

    @Test func `a new budget is known to every process with the next request after it was announced`()
        async throws
    {
        try await KeyWorld.run { world in
            let (one, other) = (try await world.process(), try await world.process())
            let key = try await world.makeKey()
            for process in [one, other] {
                let caller = try await process.ring.caller(presenting: key)
                #expect(caller != nil && caller?.terms == nil)
            }
            let id = UUID.make()
            let generation = try await Self.change(world, Self.insertion(world, id, "organization"))
            await one.generations.announce(world.organization, generation)
            for process in [one, other] {
                let caller = try await process.ring.caller(presenting: key)
                #expect(caller?.terms?.moneyLimits.map(\.id) == [id])
            }
            await one.close()
            await other.close()
        }
    }

    @Test func `nobody has more limits than every look-up can carry, and those that ended do not count`()
        async throws
    {
        try await KeyWorld.run { world in
            func add(_ count: Int, _ prefix: String, ended: Bool) async throws -> String? {
                do {
                    _ = try await Self.change(
                        world,
                        """
                        INSERT INTO money_limits (id, org_id, kind, subject, window_start, window_end, cap_nano)
                        SELECT gen_random_uuid(), \(world.organization), 'budget', \(prefix) || number,
                            now() - interval '2 days', now() + \(ended ? -1 : 1) * interval '1 day', 1
                        FROM generate_series(1, \(count)) AS number
                        """)
                    return nil
                } catch let error as PostgresError { return error.sqlState }
            }
            let ended = try await add(1100, "model:ended/", ended: true)
            #expect(ended == nil)
            let current = try await add(1000, "model:current/", ended: false)
            #expect(current == nil)
            let more = try await add(1, "model:more/", ended: false)
            #expect(more == "HG003")
            let key = try await world.makeKey()
            let count = try await Self.terms(key, world)?.moneyLimits.count
            #expect(count == 1000)
        }
    }
}
