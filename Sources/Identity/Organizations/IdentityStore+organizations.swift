package import Base
import JSON
import Postgres

/// An organization as its members see it.
package struct Organization: Sendable {
    package var id: UUID
    package var name: String
    package var createdAt: Timestamp
    package var deletedAt: Timestamp?
    /// What the person who asks is there.
    package var role: Role?
}

extension IdentityStore {
    /// For so long a deleted organization can be brought back.
    package static let deletionGrace = Duration.seconds(30 * 86_400)

    func addOrganization(
        _ organization: UUID, named name: String, owner: UUID, by actor: Actor,
        _ transaction: PostgresTransaction
    ) async throws {
        try await transaction.enter(.organization(organization))
        // Nobody chooses it themselves.
        _ = try await transaction.pipeline([
            "SELECT set_config('app.system', 'on', true)",
            """
            INSERT INTO organizations (id, name, plan)
            VALUES (\(organization), \(name), (SELECT name FROM plans WHERE name = \(settings.planOfNew)))
            """,
            "SELECT set_config('app.system', '', true)",
        ])
        try await transaction.execute(
            """
            INSERT INTO memberships (org_id, user_id, role)
            VALUES (\(organization), \(owner), \(Role.owner))
            """)
        try await audit.begin(organization, transaction)
        try await audit.record(
            AuditLog.Deed(
                "organization.create", "organization", organization, after: Self.json(["name": name])),
            by: actor, in: organization, at: time.timestamp(), transaction)
    }

    /// Makes a further organization, owned by `user`.
    package func createOrganization(
        named name: String, owner user: UUID, by actor: Actor
    ) async throws -> Organization {
        let organization = UUID.make(at: time.timestamp())
        return try await pool.transaction(in: .user(user)) { transaction in
            try await addOrganization(organization, named: name, owner: user, by: actor, transaction)
            return Organization(
                id: organization, name: name, createdAt: time.timestamp(), deletedAt: nil, role: .owner)
        }
    }

    /// The organizations that a person belongs to.
    package func organizations(of user: UUID) async throws -> [Organization] {
        try await pool.transaction(in: .user(user), readOnly: true) { transaction in
            try await transaction.query(
                """
                SELECT id, name, organizations.created_at, deleted_at, role FROM organizations
                JOIN memberships ON org_id = id
                WHERE user_id = \(user) AND deleted_at IS NULL ORDER BY organizations.created_at, id
                """
            ).decode(Self.organization)
        }
    }

    package func organization(_ organization: UUID, for user: UUID) async throws -> Organization {
        let found = try await transaction(of: organization, by: user, readOnly: true) { transaction in
            try await transaction.query(
                """
                SELECT id, name, organizations.created_at, deleted_at, role FROM organizations
                JOIN memberships ON org_id = id AND user_id = \(user)
                WHERE id = \(organization) AND deleted_at IS NULL
                """
            ).decode(Self.organization)
        }
        guard let found = found.first else { throw Problem.notFound("organization") }
        return found
    }

    private static func organization(_ row: PostgresRow) throws(PostgresError) -> Organization {
        let (id, name, createdAt, deletedAt, role) = try row.decode(
            (UUID, String, Timestamp, Timestamp?, Role?).self)
        return Organization(id: id, name: name, createdAt: createdAt, deletedAt: deletedAt, role: role)
    }

    package func rename(_ organization: UUID, to name: String, by actor: Actor) async throws {
        try await transaction(of: organization, by: actor.user) { transaction in
            let old = try await transaction.query(
                "SELECT name FROM organizations WHERE id = \(organization) AND deleted_at IS NULL FOR UPDATE"
            ).first?.decode(String.self)
            guard let old else { throw Problem.notFound("organization") }
            try await transaction.execute(
                "UPDATE organizations SET name = \(name) WHERE id = \(organization)")
            try await audit.record(
                AuditLog.Deed(
                    "organization.rename", "organization", organization, before: Self.json(["name": old]),
                    after: Self.json(["name": name])),
                by: actor, in: organization, at: time.timestamp(), transaction)
        }
    }

    /// Ends an organization: its keys and sessions are good for nothing from now on. Its data stay for 30 days.
    package func delete(_ organization: UUID, by actor: Actor) async throws -> KeyChange {
        try await setDeleted(true, organization, by: actor)
    }

    package func restore(_ organization: UUID, by actor: Actor) async throws -> KeyChange {
        try await setDeleted(false, organization, by: actor)
    }

    private func setDeleted(_ isDeleted: Bool, _ organization: UUID, by actor: Actor) async throws
        -> KeyChange
    {
        try await transaction(of: organization, by: actor.user) { transaction in
            let limit = time.timestamp() + (.zero - Self.deletionGrace)
            let count = try await transaction.execute(
                """
                UPDATE organizations SET deleted_at = \(isDeleted ? time.timestamp() : nil)
                WHERE id = \(organization) AND (deleted_at IS NULL) = \(isDeleted)
                  AND coalesce(deleted_at, now()) > \(limit)
                """)
            guard count == 1 else { throw Problem.notFound("organization") }
            try await audit.record(
                AuditLog.Deed(
                    isDeleted ? "organization.delete" : "organization.restore", "organization", organization),
                by: actor, in: organization, at: time.timestamp(), transaction)
            return try await raiseKeyGeneration(of: organization, transaction)
        }
    }

    // MARK: For the operator

    /// All organizations of the instance, deleted ones too, page by page.
    package func allOrganizations(after last: UUID?, limit: Int) async throws -> [Organization] {
        try await pool.transaction(in: .system, readOnly: true) { transaction in
            try await transaction.query(
                """
                SELECT id, name, created_at, deleted_at, NULL::text FROM organizations
                WHERE \(last)::uuid IS NULL OR id > \(last) ORDER BY id LIMIT \(limit)
                """
            ).decode(Self.organization)
        }
    }

    /// A JSON object of texts, for the audit trail.
    static func json(_ members: KeyValuePairs<StaticString, String?>) -> String {
        var json = JSONWriter()
        json.object { json in
            for (name, value) in members {
                json.key(name)
                if let value { json.value(value) } else { json.null() }
            }
        }
        return String(decoding: json.bytes, as: UTF8.self)
    }
}
