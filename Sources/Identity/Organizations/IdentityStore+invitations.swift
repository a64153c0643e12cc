package import Base
import Postgres

/// An offer to join an organization, sent to a mailbox.
package struct Invitation: Sendable {
    package var id: UUID
    package var organization: UUID
    package var email: String
    package var role: Role
    package var createdAt: Timestamp
    package var expiresAt: Timestamp
}

extension IdentityStore {
    package static let invitationLifetime = Duration.seconds(7 * 86_400)
    /// Open ones of an organization.
    private static let largestInvitationCount = 1000

    /// Invites somebody. An earlier invitation of the same address is replaced. `manager` must stand above the role.
    package func invite(
        _ email: String, to organization: UUID, as role: Role, by actor: Actor, as manager: Role
    ) async throws -> Invitation {
        guard manager.mayManage(role) else { throw Problem.standsAbove(manager) }
        let token = PresentedSecret.make()
        let now = time.timestamp()
        let invitation = Invitation(
            id: .make(at: now), organization: organization, email: email.lowercased(), role: role,
            createdAt: now, expiresAt: now + Self.invitationLifetime)
        return try await transaction(of: organization, by: actor.user) { transaction in
            let name = try await transaction.query(
                "SELECT name FROM organizations WHERE id = \(organization) FOR UPDATE"
            ).first?.decode(String.self)
            guard let name else { throw Problem.notFound("organization") }
            try await refuseMember(invitation.email, of: organization, transaction)
            try await transaction.execute(
                """
                UPDATE invitations SET revoked_at = \(now) WHERE org_id = \(organization)
                  AND email = \(invitation.email) AND accepted_at IS NULL AND revoked_at IS NULL
                """)
            try await transaction.execute(
                """
                INSERT INTO invitations (id, org_id, email, role, token_digest, invited_by, created_at, expires_at)
                VALUES (\(invitation.id), \(organization), \(invitation.email), \(role), \(token.digest),
                    \(actor.user), \(now), \(invitation.expiresAt))
                """)
            try await enqueue(
                .invitation(invitation.email, to: name, token: token.secret, at: settings.publicURL),
                transaction)
            try await audit.record(
                AuditLog.Deed(
                    "invitation.create", "invitation", invitation.id,
                    after: Self.json(["email": invitation.email, "role": role.rawValue])),
                by: actor, in: organization, at: now, transaction)
            return invitation
        }
    }

    private func refuseMember(
        _ email: String, of organization: UUID, _ transaction: PostgresTransaction
    ) async throws {
        let counts = try await transaction.query(
            """
            SELECT (SELECT count(*) FROM memberships JOIN users ON users.id = user_id
                    WHERE org_id = \(organization) AND email = \(email)),
                (SELECT count(*) FROM invitations WHERE org_id = \(organization) AND accepted_at IS NULL
                    AND revoked_at IS NULL AND expires_at > \(time.timestamp()))
            """)[0].decode((Int64, Int64).self)
        guard counts.0 == 0 else {
            throw Problem(
                .conflict, code: "already_member", "This person is a member already.", field: "email")
        }
        guard counts.1 < Self.largestInvitationCount else {
            throw Problem(
                .conflict, code: "too_many_invitations",
                "There are \(Self.largestInvitationCount) open invitations. Revoke some first.")
        }
    }

    /// Those that can still be accepted.
    package func invitations(to organization: UUID) async throws -> [Invitation] {
        try await pool.transaction(tenant: organization, readOnly: true) { transaction in
            try await transaction.query(
                """
                SELECT id, org_id, email, role, created_at, expires_at FROM invitations
                WHERE org_id = \(organization) AND accepted_at IS NULL AND revoked_at IS NULL
                  AND expires_at > \(time.timestamp())
                ORDER BY created_at, id LIMIT \(Self.largestInvitationCount)
                """
            ).decode(Self.invitation)
        }
    }

    package func revokeInvitation(_ id: UUID, to organization: UUID, by actor: Actor) async throws {
        try await transaction(of: organization, by: actor.user) { transaction in
            let count = try await transaction.execute(
                """
                UPDATE invitations SET revoked_at = \(time.timestamp())
                WHERE id = \(id) AND accepted_at IS NULL AND revoked_at IS NULL
                """)
            guard count == 1 else { throw Problem.notFound("invitation") }
            try await audit.record(
                AuditLog.Deed("invitation.revoke", "invitation", id), by: actor, in: organization,
                at: time.timestamp(), transaction)
        }
    }

    /// Joins the organization that an invitation is to. The account must have the address that it was sent to.
    package func acceptInvitation(_ text: String, as user: UUID, by actor: Actor) async throws -> KeyChange {
        guard let token = PresentedSecret(presented: text) else { throw Problem.invalidInvitation }
        return try await pool.transaction(in: .token(token.digest) + .user(user)) { transaction in
            let invitation = try await invitation(presenting: token, transaction)
            let email = try await transaction.query("SELECT email FROM users WHERE id = \(user)").first?
                .decode(String.self)
            guard email == invitation.email else {
                throw Problem(
                    .unprocessable, code: "wrong_email",
                    "The invitation is for another address than this account's.", field: "invitation")
            }
            // Holding it shows that the mailbox is theirs.
            try await transaction.execute(
                """
                UPDATE users SET email_verified_at = coalesce(email_verified_at, \(time.timestamp()))
                WHERE id = \(user)
                """)
            return try await accept(invitation, as: user, by: actor, transaction)
        }
    }

    /// The open invitation with that secret.
    func invitation(
        presenting token: PresentedSecret, _ transaction: PostgresTransaction
    ) async throws -> Invitation {
        let found = try await transaction.query(
            """
            SELECT id, org_id, email, role, created_at, expires_at FROM invitations
            WHERE token_digest = \(token.digest) AND accepted_at IS NULL AND revoked_at IS NULL
              AND expires_at > \(time.timestamp())
            """)
        guard let row = found.first else { throw Problem.invalidInvitation }
        return try Self.invitation(row)
    }

    func accept(
        _ invitation: Invitation, as user: UUID, by actor: Actor, _ transaction: PostgresTransaction
    ) async throws -> KeyChange {
        try await transaction.enter(.organization(invitation.organization) + .user(user))
        let isOpen = try await transaction.query(
            "SELECT FROM organizations WHERE id = \(invitation.organization) AND deleted_at IS NULL FOR UPDATE"
        )
        // Of several who accept at the same time one gets through.
        let accepted = try await transaction.execute(
            """
            UPDATE invitations SET accepted_at = \(time.timestamp())
            WHERE id = \(invitation.id) AND accepted_at IS NULL AND revoked_at IS NULL
            """)
        guard !isOpen.isEmpty, accepted == 1 else { throw Problem.invalidInvitation }
        try await transaction.execute(
            """
            INSERT INTO memberships (org_id, user_id, role)
            VALUES (\(invitation.organization), \(user), \(invitation.role)) ON CONFLICT DO NOTHING
            """)
        try await audit.record(
            AuditLog.Deed(
                "member.join", "user", user,
                after: Self.json(["email": invitation.email, "role": invitation.role.rawValue])),
            by: actor, in: invitation.organization, at: time.timestamp(), transaction)
        return try await raiseKeyGeneration(of: invitation.organization, transaction)
    }

    private static func invitation(_ row: PostgresRow) throws(PostgresError) -> Invitation {
        let (id, organization, email, role, createdAt, expiresAt) = try row.decode(
            (UUID, UUID, String, Role, Timestamp, Timestamp).self)
        return Invitation(
            id: id, organization: organization, email: email, role: role, createdAt: createdAt,
            expiresAt: expiresAt)
    }
}

extension Problem {
    static let invalidInvitation = Problem(
        .notFound, code: "invitation_not_found",
        "The invitation is not valid, was used already or has expired. Ask for a new one.",
        field: "invitation")
}
