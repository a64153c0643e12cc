import Base
import Postgres

extension IdentityStore {
    /// The account of somebody for whom an organization's identity provider vouches. Whom it has vouched for before is
    /// known by its own name for them; an e-mail address counts only the first time, and only if it was confirmed.
    func account(
        of token: IDToken, from client: SSOClient, address: String?
    ) async throws -> UUID {
        let organization = client.organization
        return try await pool.transaction(in: .organization(organization)) { transaction in
            if let known = try await identity(of: token, from: client, transaction) { return known }
            // Two who come for the first time at the same time, perhaps as the same person, wait for each other.
            let isOpen = try await transaction.query(
                "SELECT FROM organizations WHERE id = \(organization) AND deleted_at IS NULL FOR UPDATE")
            guard !isOpen.isEmpty else { throw Problem.notFound("organization") }
            if let known = try await identity(of: token, from: client, transaction) { return known }

            let email = try Self.confirmedEmail(token)
            let user = try await memberOrNewcomer(email, token, from: client, address, transaction)
            try await transaction.execute(
                """
                INSERT INTO sso_identities (org_id, issuer, subject, user_id, created_at)
                VALUES (\(organization), \(client.issuer), \(token.subject), \(user), \(time.timestamp()))
                """)
            try await audit.record(
                AuditLog.Deed(
                    "sso.link", "user", user,
                    after: Self.json([
                        "issuer": client.issuer, "subject": token.subject, "email": email,
                    ])),
                by: Actor(.sso, user: user, address: address), in: organization, at: time.timestamp(),
                transaction)
            return user
        }
    }

    private func identity(
        of token: IDToken, from client: SSOClient, _ transaction: PostgresTransaction
    ) async throws -> UUID? {
        let found = try await transaction.query(
            """
            SELECT user_id FROM sso_identities
            WHERE org_id = \(client.organization) AND issuer = \(client.issuer) AND subject = \(token.subject)
            """)
        guard let user = try found.first?.decode(UUID.self) else { return nil }
        try await transaction.enter(.user(user))
        try await refuseDisabled(user, transaction)
        return user
    }

    private func refuseDisabled(_ user: UUID, _ transaction: PostgresTransaction) async throws {
        let isAdmitted = try await transaction.query(
            "SELECT FROM users WHERE id = \(user) AND disabled_at IS NULL")
        guard !isAdmitted.isEmpty else { throw Problem.accountDisabled }
    }

    private static func confirmedEmail(_ token: IDToken) throws(Problem) -> String {
        guard let email = token.email?.lowercased(), token.isEmailVerified, MailAddress.isAddress(email),
            email.utf8.count >= 3
        else {
            throw Problem(
                .forbidden, code: "sso_email_unverified",
                "The identity provider names no confirmed e-mail address for you. Ask whoever runs it to send \"email\" and \"email_verified\"."
            )
        }
        return email
    }

    /// Whoever is a member already, or is new to this whole instance. The account of anybody else is not the
    /// organization's to take: its provider could claim any address.
    private func memberOrNewcomer(
        _ email: String, _ token: IDToken, from client: SSOClient, _ address: String?,
        _ transaction: PostgresTransaction
    ) async throws -> UUID {
        try await transaction.enter(.email(email))
        let found = try await transaction.query(
            """
            SELECT id, EXISTS (
                SELECT FROM memberships WHERE org_id = \(client.organization) AND user_id = users.id)
            FROM users WHERE email = \(email)
            """)
        guard let (user, isMember) = try found.first?.decode((UUID, Bool).self) else {
            return try await join(email, token, from: client, address, transaction)
        }
        guard isMember else { throw Problem.ssoStranger }
        try await refuseDisabled(user, transaction)
        return user
    }

    private func join(
        _ email: String, _ token: IDToken, from client: SSOClient, _ address: String?,
        _ transaction: PostgresTransaction
    ) async throws -> UUID {
        if settings.registration == .closed { throw Problem.registrationClosed }
        let added = try await addAccount(
            email: email, name: token.name, password: nil, isVerified: true, transaction)
        // Somebody else has just made it.
        guard let user = added else { throw Problem.ssoStranger }
        try await transaction.execute(
            """
            INSERT INTO memberships (org_id, user_id, role)
            VALUES (\(client.organization), \(user), \(client.defaultRole))
            """)
        try await audit.record(
            AuditLog.Deed(
                "member.join", "user", user,
                after: Self.json(["email": email, "role": client.defaultRole.rawValue])),
            by: Actor(.sso, user: user, address: address), in: client.organization, at: time.timestamp(),
            transaction)
        return user
    }
}
