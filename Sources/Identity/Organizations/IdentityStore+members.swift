package import Base
import Postgres

/// Somebody in an organization.
package struct Member: Sendable {
    package var user: UUID
    package var email: String
    package var name: String?
    package var role: Role
    package var joinedAt: Timestamp
}

extension IdentityStore {
    package func members(of organization: UUID) async throws -> [Member] {
        try await pool.transaction(tenant: organization, readOnly: true) { transaction in
            try await transaction.query(
                """
                SELECT user_id, email, name, role, memberships.created_at FROM memberships
                JOIN users ON users.id = user_id
                WHERE org_id = \(organization) ORDER BY memberships.created_at, user_id LIMIT 10000
                """
            ).decode { row throws(PostgresError) in
                let (user, email, name, role, joinedAt) = try row.decode(
                    (UUID, String, String?, Role, Timestamp).self)
                return Member(user: user, email: email, name: name, role: role, joinedAt: joinedAt)
            }
        }
    }

    /// Gives a member another role. `manager` must stand above both, or be an owner.
    package func setRole(
        of user: UUID, in organization: UUID, to role: Role, by actor: Actor, as manager: Role
    ) async throws -> KeyChange {
        try await transaction(of: organization, by: actor.user) { transaction in
            let old = try await self.role(of: user, in: organization, transaction)
            guard manager.mayManage(old), manager.mayManage(role) else {
                throw Problem.standsAbove(manager)
            }
            try await change(role, of: user, in: organization, transaction)
            try await audit.record(
                AuditLog.Deed(
                    "member.set_role", "user", user, before: Self.json(["role": old.rawValue]),
                    after: Self.json(["role": role.rawValue])),
                by: actor, in: organization, at: time.timestamp(), transaction)
            return try await raiseKeyGeneration(of: organization, transaction)
        }
    }

    /// Takes a member out, with their keys. A `manager` of `nil` is the member themselves.
    package func remove(
        _ user: UUID, from organization: UUID, by actor: Actor, as manager: Role?
    ) async throws -> KeyChange {
        try await transaction(of: organization, by: actor.user) { transaction in
            let old = try await role(of: user, in: organization, transaction)
            if let manager, !manager.mayManage(old) { throw Problem.standsAbove(manager) }
            try await keepingAnOwner {
                try await transaction.execute(
                    "DELETE FROM memberships WHERE org_id = \(organization) AND user_id = \(user)")
            }
            try await transaction.execute(
                """
                UPDATE api_keys SET revoked_at = \(time.timestamp())
                WHERE org_id = \(organization) AND user_id = \(user) AND revoked_at IS NULL
                """)
            try await transaction.execute(
                "DELETE FROM sso_identities WHERE org_id = \(organization) AND user_id = \(user)")
            try await audit.record(
                AuditLog.Deed(
                    manager == nil ? "member.leave" : "member.remove", "user", user,
                    before: Self.json(["role": old.rawValue])),
                by: actor, in: organization, at: time.timestamp(), transaction)
            return try await raiseKeyGeneration(of: organization, transaction)
        }
    }

    /// Makes another member the owner; whoever gives it away becomes an admin.
    package func transferOwnership(
        of organization: UUID, from owner: UUID, to user: UUID, by actor: Actor
    ) async throws -> KeyChange {
        try await transaction(of: organization, by: actor.user) { transaction in
            guard owner != user else {
                throw Problem(
                    .unprocessable, code: "invalid_body", "You own the organization already.",
                    field: "user_id")
            }
            let old = try await role(of: user, in: organization, transaction)
            try await change(.owner, of: user, in: organization, transaction)
            try await change(.admin, of: owner, in: organization, transaction)
            try await audit.record(
                AuditLog.Deed(
                    "organization.transfer", "user", user, before: Self.json(["role": old.rawValue]),
                    after: Self.json(["role": Role.owner.rawValue])),
                by: actor, in: organization, at: time.timestamp(), transaction)
            return try await raiseKeyGeneration(of: organization, transaction)
        }
    }

    /// Locks the membership until the transaction ends.
    private func role(
        of user: UUID, in organization: UUID, _ transaction: PostgresTransaction
    ) async throws -> Role {
        // Always the organization first: whoever changes several memberships at once would otherwise wait in a circle.
        try await transaction.execute("SELECT FROM organizations WHERE id = \(organization) FOR UPDATE")
        let found = try await transaction.query(
            "SELECT role FROM memberships WHERE org_id = \(organization) AND user_id = \(user) FOR UPDATE")
        guard let role = try found.first?.decode(Role.self) else { throw Problem.notFound("member") }
        return role
    }

    private func change(
        _ role: Role, of user: UUID, in organization: UUID, _ transaction: PostgresTransaction
    ) async throws {
        try await keepingAnOwner {
            try await transaction.execute(
                "UPDATE memberships SET role = \(role) WHERE org_id = \(organization) AND user_id = \(user)")
        }
    }

    /// The database refuses to leave an organization without an owner.
    private func keepingAnOwner(_ body: () async throws -> Int) async throws {
        do {
            _ = try await body()
        } catch let error as PostgresError where error.sqlState == "HG001" {
            throw Problem.needsOwner
        }
    }
}

extension Problem {
    static func standsAbove(_ role: Role) -> Problem {
        Problem(
            .forbidden, code: "role_forbidden",
            "This needs the permission \"\(Permission.manageMembers.rawValue)\" over such a role: \(role.rawValue)s manage those below them only."
        )
    }
}
