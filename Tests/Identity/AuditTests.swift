import Base
import Identity
import Postgres
import Testing

/// Somebody who can write to the database as they like changes the past. The trail is made through the store, as the
/// product makes it.
struct AuditTests {
    /// Entries of each trail that is tampered with.
    private static let length = 9
    /// The one in the middle of it that most have in mind.
    private static let middle = 4

    /// What is done to one organization's trail. `$ORG` and `$OTHER` stand for it and for one beside it.
    struct Tampering: Sendable, CustomTestStringConvertible {
        var name: String
        var statements: [String]
        /// Where its trail is broken, and where the other one's.
        var breach: Int64
        var otherBreach: Int64?

        init(_ name: String, _ statements: String..., breach: Int, otherBreach: Int? = nil) {
            self.name = name
            self.statements = statements
            self.breach = Int64(breach)
            self.otherBreach = otherBreach.map(Int64.init)
        }

        var testDescription: String { name }
    }

    private static let here = "audit_entries WHERE org_id = '$ORG' AND sequence"
    private static let columns = """
        id, at, actor_kind, actor_user, actor_key, address, request_id, action, target_kind, target_id, before, after, mac
        """

    private static func edit(_ column: String, _ value: String) -> Tampering {
        Tampering(
            "\(column) = \(value)",
            "UPDATE audit_entries SET \(column) = \(value) WHERE org_id = '$ORG' AND sequence = \(middle)",
            breach: middle)
    }

    static let edits = [
        edit("sequence", "1000"), edit("id", "gen_random_uuid()"),
        edit("at", "at + interval '1 microsecond'"),
        edit("at", "'infinity'"), edit("actor_kind", "'command'"), edit("actor_user", "gen_random_uuid()"),
        edit("actor_user", "NULL"), edit("actor_user", "actor_key"), edit("actor_key", "gen_random_uuid()"),
        edit("actor_key", "NULL"), edit("address", "'192.0.2.8'"), edit("address", "NULL"),
        edit("address", "''"), edit("request_id", "'req_2'"), edit("request_id", "NULL"),
        edit("action", "'organization.delete'"), edit("target_kind", "'key'"),
        edit("target_id", "gen_random_uuid()"), edit("target_id", "upper(target_id)"),
        edit("before", "after"), edit("before", "NULL"), edit("before", "'{}'"), edit("after", "NULL"),
        edit("after", "after || ' '"), edit("after", "''"),
        edit("mac", "set_byte(mac, 31, get_byte(mac, 31) # 1)"),
        edit("(before, after)", "(after, before)"), edit("(address, request_id)", "(request_id, address)"),
    ]

    static let removals = [
        Tampering("one in the middle is gone", "DELETE FROM \(here) = \(middle)", breach: middle),
        Tampering("the first is gone", "DELETE FROM \(here) = 1", breach: 1),
        Tampering("the last is gone", "DELETE FROM \(here) = \(length)", breach: length),
        Tampering("it is cut short", "DELETE FROM \(here) > \(middle)", breach: middle + 1),
        Tampering(
            "it is cut short, and its end counts no more", "DELETE FROM \(here) > \(middle)",
            "UPDATE audit_heads SET sequence = \(middle) WHERE org_id = '$ORG'", breach: middle),
        Tampering(
            "it is cut short, and its end is that of the entry that is the last now",
            "DELETE FROM \(here) > \(middle)",
            """
            UPDATE audit_heads SET sequence = \(middle), mac = (SELECT mac FROM \(here) = \(middle))
            WHERE org_id = '$ORG'
            """, breach: middle),
        Tampering("its end is gone", "DELETE FROM audit_heads WHERE org_id = '$ORG'", breach: length),
        Tampering(
            "its end is another's",
            """
            UPDATE audit_heads SET (sequence, mac, seal) =
                (SELECT sequence, mac, seal FROM audit_heads WHERE org_id = '$OTHER') WHERE org_id = '$ORG'
            """, breach: length),
        Tampering("all entries are gone", "DELETE FROM \(here) > 0", breach: 1),
        Tampering(
            "all entries and its end are gone", "DELETE FROM \(here) > 0",
            "DELETE FROM audit_heads WHERE org_id = '$ORG'", breach: 0),
    ]

    static let moves = [
        Tampering(
            "two neighbours are swapped",
            "UPDATE audit_entries SET sequence = 1000 WHERE org_id = '$ORG' AND sequence = 4",
            "UPDATE audit_entries SET sequence = 4 WHERE org_id = '$ORG' AND sequence = 5",
            "UPDATE audit_entries SET sequence = 5 WHERE org_id = '$ORG' AND sequence = 1000", breach: 4),
        Tampering(
            "the first and the last are swapped",
            "UPDATE audit_entries SET sequence = 1000 WHERE org_id = '$ORG' AND sequence = 1",
            "UPDATE audit_entries SET sequence = 1 WHERE org_id = '$ORG' AND sequence = \(length)",
            "UPDATE audit_entries SET sequence = \(length) WHERE org_id = '$ORG' AND sequence = 1000",
            breach: 1),
        Tampering(
            "one is written once more behind the end",
            """
            INSERT INTO audit_entries (org_id, sequence, \(columns))
            SELECT org_id, \(length + 1), gen_random_uuid(), \(columns.dropFirst(4)) FROM \(here) = \(middle)
            """, breach: length + 1),
        Tampering(
            "the last is written once more, and the end with it",
            """
            INSERT INTO audit_entries (org_id, sequence, \(columns))
            SELECT org_id, \(length + 1), gen_random_uuid(), \(columns.dropFirst(4)) FROM \(here) = \(length)
            """, "UPDATE audit_heads SET sequence = sequence + 1 WHERE org_id = '$ORG'", breach: length + 1),
        Tampering(
            "one is written once more in the middle",
            "UPDATE audit_entries SET sequence = sequence + 1000 WHERE org_id = '$ORG' AND sequence >= \(middle)",
            "UPDATE audit_entries SET sequence = sequence - 999 WHERE org_id = '$ORG' AND sequence >= 1000",
            """
            INSERT INTO audit_entries (org_id, sequence, \(columns))
            SELECT org_id, \(middle), gen_random_uuid(), \(columns.dropFirst(4)) FROM \(here) = 1
            """, breach: middle),
        Tampering(
            "one is moved behind the end of another organization's",
            """
            UPDATE audit_entries SET org_id = '$OTHER', sequence = \(length + 1)
            WHERE org_id = '$ORG' AND sequence = \(middle)
            """, breach: middle, otherBreach: length + 1),
        Tampering(
            "one trades places with another organization's of the same number",
            "UPDATE audit_entries SET sequence = 1000 WHERE org_id = '$ORG' AND sequence = \(middle)",
            "UPDATE audit_entries SET org_id = '$ORG' WHERE org_id = '$OTHER' AND sequence = \(middle)",
            "UPDATE audit_entries SET org_id = '$OTHER', sequence = \(middle) WHERE org_id = '$ORG' AND sequence = 1000",
            breach: middle, otherBreach: middle),
        Tampering(
            "all of it is another organization's",
            "DELETE FROM \(here) > 0",
            """
            INSERT INTO audit_entries (org_id, sequence, \(columns))
            SELECT '$ORG', sequence, gen_random_uuid(), \(columns.dropFirst(4)) FROM audit_entries
            WHERE org_id = '$OTHER'
            """, breach: 1),
    ]

    @Test(arguments: [("edits", edits), ("removals", removals), ("moves", moves)])
    func `verification says at which entry a trail was tampered with, and that the others are whole`(
        kind: String, tamperings: [Tampering]
    ) async throws {
        try await IdentityWorld.run { world in
            let bystander = try await Self.trail(named: "bystander", in: world)
            var expected: [UUID: Int64?] = [bystander: nil, AuditEntry.instance: nil]
            for (index, tampering) in tamperings.enumerated() {
                let organization = try await Self.trail(named: "\(kind)-\(index)", in: world)
                let other = try await Self.trail(named: "\(kind)-other-\(index)", in: world)
                #expect(try await Self.breach(of: organization, in: world) == nil)
                for statement in tampering.statements {
                    let sql = statement.replacing("$ORG", with: organization.description)
                        .replacing("$OTHER", with: other.description)
                    let count = try await world.owner.execute("\(unsafeSQL: sql)")
                    #expect(count > 0, "\(tampering.name): \(sql)")
                }
                expected[organization] = .some(tampering.breach)
                expected[other] = .some(tampering.otherBreach)
                #expect(
                    try await Self.breach(of: organization, in: world) == tampering.breach,
                    "\(tampering.name)")
            }
            var found: [UUID: Int64?] = [:]
            try await AuditVerification(world.pool, world.audit).run { chain in
                found[chain.organization] = .some(chain.breach?.sequence)
            }
            #expect(found == expected)
        }
    }

    @Test func `what cannot even be read is where a trail was tampered with`() async throws {
        try await IdentityWorld.run { world in
            let organization = try await Self.trail(named: "acme", in: world)
            try await world.owner.execute(
                "ALTER TABLE audit_entries DROP CONSTRAINT audit_entries_actor_kind_check")
            try await world.owner.execute(
                """
                UPDATE audit_entries SET actor_kind = 'nobody'
                WHERE org_id = \(organization) AND sequence = \(Self.middle)
                """)
            #expect(try await Self.breach(of: organization, in: world) == Int64(Self.middle))
        }
    }

    @Test(arguments: [false, true])
    func `a trail whose end was taken away goes on behind a breach that stays`(takesAll: Bool) async throws {
        try await IdentityWorld.run { world in
            let organization = try await Self.trail(named: "acme", in: world)
            let actor = Actor(.command)
            for owner in [organization, AuditEntry.instance] {
                try await world.owner.execute("DELETE FROM audit_heads WHERE org_id = \(owner)")
                if takesAll {
                    try await world.owner.execute("DELETE FROM audit_entries WHERE org_id = \(owner)")
                }
                #expect(try await Self.breach(of: owner, in: world) != nil)
            }
            for name in ["one", "two"] {
                try await world.store.rename(organization, to: name, by: actor)
                _ = try await SigningKeyStore(world.pool, world.vault, world.audit).rotate(by: actor)
                let breach = try await Self.breach(of: organization, in: world)
                #expect(breach == (takesAll ? 1 : Int64(Self.length) + 1))
                #expect(try await Self.breach(of: AuditEntry.instance, in: world) != nil)
            }
        }
    }

    @Test func `under another secret no trail is whole`() async throws {
        try await IdentityWorld.run { world in
            let organization = try await Self.trail(named: "acme", in: world)
            let verification = AuditVerification(world.pool, AuditLog(secret: Random.bytes(32)))
            #expect(try await verification.verify(organization).breach?.sequence == 1)
            // Not even one without entries.
            try await world.owner.execute("DELETE FROM audit_entries")
            #expect(try await verification.verify(AuditEntry.instance).breach != nil)
        }
    }

    @Test func `the application can neither change nor delete what was written down`() async throws {
        try await IdentityWorld.run { world in
            let organization = try await Self.trail(named: "acme", in: world)
            let attempts: [SQL] = [
                "UPDATE audit_entries SET action = 'nothing'", "DELETE FROM audit_entries",
                "TRUNCATE audit_entries", "DELETE FROM audit_heads", "TRUNCATE audit_heads",
            ]
            for scope in [("app.org_id", organization.description), ("app.system", "on")] {
                for attempt in attempts {
                    let error = await #expect(throws: PostgresError.self) {
                        try await world.pool.transaction { transaction in
                            _ = try await transaction.query("SELECT set_config(\(scope.0), \(scope.1), true)")
                            _ = try await transaction.execute(attempt)
                        }
                    }
                    #expect(error?.kind == .insufficientPrivilege, "\(attempt)")
                }
            }
            #expect(try await Self.breach(of: organization, in: world) == nil)
        }
    }

    @Test func `fifty who write at once make one trail without a gap`() async throws {
        try await IdentityWorld.run { world in
            let tenant = try await world.makeTenant("acme")
            let before = try await Self.chain(of: tenant.organization, in: world).entryCount
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<50 {
                    group.addTask {
                        _ = try await world.store.makeKey(
                            NewKey(name: "key \(number)"), for: tenant.user, of: tenant.organization,
                            by: world.actor(of: tenant))
                    }
                }
                try await group.waitForAll()
            }
            let chain = try await Self.chain(of: tenant.organization, in: world)
            #expect(chain.breach == nil)
            #expect(chain.entryCount == before + 50)
            var filter = AuditFilter()
            filter.action = "key.create"
            filter.limit = 1000
            let entries = try await world.store.auditTrail(of: tenant.organization, filter)
            #expect(Set(entries.map(\.targetID)).count == entries.count)
            #expect(entries.count(where: { $0.actor.address == "192.0.2.7" }) == 50)
        }
    }

    @Test func `an action that fails leaves neither an entry nor a gap`() async throws {
        try await IdentityWorld.run { world in
            let tenant = try await world.makeTenant("acme")
            let before = try await Self.chain(of: tenant.organization, in: world)
            // The entry is written, and then the transaction fails.
            await #expect(throws: PostgresError.self) {
                try await world.store.makeKey(
                    NewKey(name: String(repeating: "x", count: 5000)), for: tenant.user,
                    of: tenant.organization, by: .command)
            }
            let after = try await Self.chain(of: tenant.organization, in: world)
            #expect((after.entryCount, after.end) == (before.entryCount, before.end))
            _ = try await world.store.makeKey(
                NewKey(name: "good"), for: tenant.user, of: tenant.organization, by: .command)
            let end = try await Self.chain(of: tenant.organization, in: world)
            #expect(end.breach == nil)
            #expect(end.entryCount == before.entryCount + 1)
        }
    }

    /// An organization with `length` entries, each with something in every field.
    private static func trail(named name: String, in world: IdentityWorld) async throws -> UUID {
        let tenant = try await world.makeTenant(name)
        let organization = tenant.organization
        while true {
            let count = try await chain(of: organization, in: world).entryCount
            if count == length { return organization }
            try await world.store.rename(organization, to: "\(name) \(count)", by: world.actor(of: tenant))
        }
    }

    private static func chain(
        of organization: UUID, in world: IdentityWorld
    ) async throws -> AuditVerification.Chain {
        try await AuditVerification(world.pool, world.audit).verify(organization)
    }

    private static func breach(of organization: UUID, in world: IdentityWorld) async throws -> Int64? {
        try await chain(of: organization, in: world).breach?.sequence
    }
}
