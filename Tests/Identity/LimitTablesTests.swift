import Base
import Identity
import Postgres
import Testing

/// What the database itself keeps of limits and money, whatever a program asks of it.
struct LimitTablesTests {
    private static func state(_ body: () async throws -> Void) async throws -> String? {
        do {
            try await body()
            return nil
        } catch let error as PostgresError {
            return error.sqlState
        }
    }

    private static let denied = "42501"

    @Test func `who works for an organization changes neither its plan nor what lies over it, nor a plan`()
        async throws
    {
        try await KeyWorld.run { world in
            let statements: [SQL] = [
                "UPDATE organizations SET plan = 'enterprise'",
                "UPDATE organizations SET limit_overrides = '{}'",
                "INSERT INTO organizations (id, name, plan) VALUES (\(world.organization), 'more', 'enterprise')",
                "UPDATE plans SET limits = '{}'",
                "DELETE FROM plans",
                "INSERT INTO plans (name, title, limits) VALUES ('mine', 'Mine', '{}')",
            ]
            for statement in statements {
                let state = try await Self.state {
                    try await world.pool.transaction(tenant: world.organization) { transaction in
                        _ = try await transaction.execute(statement)
                    }
                }
                #expect(state == Self.denied, "\(statement)")
            }
            // By the store, too.
            var patch = IdentityStore.LimitsPatch()
            patch.plan = .some("enterprise")
            let state = try await Self.state {
                _ = try await world.store.setLimits(of: world.organization, patch, by: .command)
            }
            #expect(state == Self.denied)
            #expect(try await world.store.limits(of: world.organization).plan == nil)
        }
    }

    private static func other(_ world: KeyWorld) async throws -> UUID {
        try await world.store.found(
            organization: "Other", owner: "bob@other.example", password: PasswordHash(stored: "none"),
            by: .command
        ).organization
    }

    private static func newLimit(
        of organization: UUID, cap: Int64, _ world: KeyWorld
    ) async throws -> UUID {
        let id = UUID.make()
        try await world.pool.transaction(tenant: organization) { transaction in
            _ = try await transaction.execute(
                """
                INSERT INTO money_limits (id, org_id, kind, subject, cap_nano)
                VALUES (\(id), \(organization), 'wallet', 'organization', \(cap))
                """)
        }
        return id
    }

    @Test func `nothing is granted beyond a cap, but what was spent is settled`() async throws {
        try await KeyWorld.run { world in
            let limit = try await Self.newLimit(of: world.organization, cap: 100, world)
            func change(_ set: SQL) async throws -> String? {
                try await Self.state {
                    try await world.pool.transaction(tenant: world.organization) { transaction in
                        let count = try await transaction.execute(
                            "UPDATE money_limits SET \(set) WHERE id = \(limit)")
                        #expect(count == 1)
                    }
                }
            }
            #expect(try await change("granted_nano = granted_nano + 60") == nil)
            #expect(try await change("granted_nano = granted_nano + 41") == "HG002")
            #expect(try await change("granted_nano = granted_nano + 40") == nil)
            // It cost more than was held for it.
            #expect(
                try await change("granted_nano = granted_nano - 60, settled_nano = settled_nano + 90") == nil)
            #expect(try await change("granted_nano = granted_nano + 1") == "HG002")
            #expect(try await change("cap_nano = 50") == nil)
            #expect(
                try await change("granted_nano = granted_nano - 40, settled_nano = settled_nano + 40") == nil)
            #expect(try await change("granted_nano = -1") == "23514")
            #expect(try await change("settled_nano = -1") == "23514")
        }
    }

    @Test func `a grant is of the organization whose limit it is from, and is closed when it is over`()
        async throws
    {
        try await KeyWorld.run { world in
            let other = try await Self.other(world)
            let limit = try await Self.newLimit(of: world.organization, cap: 100, world)
            func grant(
                from organization: UUID, _ state: String = "open", amount: Int64 = 1, isClosed: Bool = false
            ) async throws -> String? {
                try await Self.state {
                    try await world.pool.transaction(tenant: organization) { transaction in
                        _ = try await transaction.execute(
                            """
                            INSERT INTO money_grants (id, limit_id, org_id, amount_nano, state, closed_at)
                            VALUES (\(UUID.make()), \(limit), \(organization), \(amount), \(state),
                                \(isClosed ? Timestamp.now() : nil))
                            """)
                    }
                }
            }
            let first = try await grant(from: world.organization)
            #expect(first == nil)
            #expect(try await grant(from: other) == "23503")
            #expect(try await grant(from: world.organization, amount: 0) == "23514")
            #expect(try await grant(from: world.organization, "spent") == "23514")
            #expect(try await grant(from: world.organization, "spent", isClosed: true) == nil)
            #expect(try await grant(from: world.organization, "open", isClosed: true) == "23514")
        }
    }

    @Test func `a budget of a window is there once, and a wallet has none`() async throws {
        try await KeyWorld.run { world in
            func add(_ kind: String, _ start: Timestamp?, _ end: Timestamp?) async throws -> String? {
                try await Self.state {
                    try await world.pool.transaction(tenant: world.organization) { transaction in
                        _ = try await transaction.execute(
                            """
                            INSERT INTO money_limits (id, org_id, kind, subject, window_start, window_end, cap_nano)
                            VALUES (\(UUID.make()), \(world.organization), \(kind), 'organization', \(start),
                                \(end), 1)
                            """)
                    }
                }
            }
            let (start, end) = (Timestamp(seconds: 0), Timestamp(seconds: 86_400))
            let cases: [(kind: String, start: Timestamp?, end: Timestamp?, state: String?)] = [
                ("budget", start, end, nil), ("budget", start, Timestamp(seconds: 2_678_400), nil),
                ("budget", start, end, "23505"), ("wallet", nil, nil, nil), ("wallet", nil, nil, "23505"),
                ("wallet", start, end, "23514"), ("budget", end, start, "23514"),
                ("budget", start, nil, "23514"),
            ]
            for (index, each) in cases.enumerated() {
                let state = try await add(each.kind, each.start, each.end)
                #expect(state == each.state, "\(index)")
            }
        }
    }

    @Test func `use and money are seen by their organization and no other`() async throws {
        try await KeyWorld.run { world in
            let other = try await Self.other(world)
            let limit = try await Self.newLimit(of: world.organization, cap: 100, world)
            try await world.pool.transaction(tenant: world.organization) { transaction in
                _ = try await transaction.execute(
                    """
                    INSERT INTO money_grants (id, limit_id, org_id, amount_nano)
                    VALUES (\(UUID.make()), \(limit), \(world.organization), 1)
                    """)
                for _ in 0..<2 {
                    _ = try await transaction.execute(
                        """
                        INSERT INTO quota_use (org_id, subject, month, requests, tokens)
                        VALUES (\(world.organization), 'organization', 24322, 1, 10)
                        ON CONFLICT (org_id, subject, month) DO UPDATE
                        SET requests = quota_use.requests + EXCLUDED.requests,
                            tokens = quota_use.tokens + EXCLUDED.tokens
                        """)
                }
            }
            func count(_ table: String, _ tenant: UUID?) async throws -> Int64 {
                let count: SQL = "SELECT count(*) FROM \(unsafeSQL: table)"
                guard let tenant else { return try await world.pool.query(count)[0].decode(Int64.self) }
                return try await world.pool.transaction(tenant: tenant) { transaction in
                    try await transaction.query(count)[0].decode(Int64.self)
                }
            }
            for table in ["money_limits", "money_grants", "quota_use"] {
                #expect(try await count(table, world.organization) == 1, "\(table)")
                #expect(try await count(table, other) == 0, "\(table)")
                #expect(try await count(table, nil) == 0, "\(table)")
                let state = try await Self.state {
                    try await world.pool.transaction(tenant: other) { transaction in
                        _ = try await transaction.execute(
                            "UPDATE \(unsafeSQL: table) SET org_id = \(other)")
                        _ = try await transaction.execute(
                            """
                            INSERT INTO quota_use (org_id, subject, month)
                            VALUES (\(world.organization), 'x', 24322)
                            """)
                    }
                }
                #expect(state == Self.denied)
            }
            let used = try await world.pool.transaction(tenant: world.organization) { transaction in
                try await transaction.query("SELECT requests, tokens FROM quota_use")[0]
                    .decode((Int64, Int64).self)
            }
            #expect(used == (2, 20))
        }
    }
}
