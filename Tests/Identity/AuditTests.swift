import Base
import Identity
import Postgres
import Testing

/// Somebody who can write to the database as they like changes the past. The trail is made through the store, as the
/// product makes it.
struct AuditTests {
    @Test(arguments: [
        ("edits", AuditTampering.edits), ("removals", AuditTampering.removals),
        ("moves", AuditTampering.moves),
    ])
    func `verification says at which entry a trail was tampered with, and that the others are whole`(
        kind: String, tamperings: [AuditTampering]
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
                WHERE org_id = \(organization) AND sequence = \(AuditTampering.middle)
                """)
            #expect(try await Self.breach(of: organization, in: world) == Int64(AuditTampering.middle))
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
                #expect(breach == (takesAll ? 1 : Int64(AuditTampering.length) + 1))
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
            if count == AuditTampering.length { return organization }
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
