package import Base
import Postgres

/// What a secret in a mail is good for.
enum MailedTokenPurpose: String, Sendable, PostgresCodable {
    case resetPassword = "reset_password"
    case verifyEmail = "verify_email"

    var lifetime: Duration {
        switch self {
        case .resetPassword: .seconds(3600)
        case .verifyEmail: .seconds(86_400)
        }
    }
}

extension IdentityStore {
    // MARK: The address

    func sendVerification(
        to email: String, of user: UUID, _ transaction: PostgresTransaction
    ) async throws {
        let token = try await makeToken(for: .verifyEmail, of: user, transaction)
        try await enqueue(
            .confirmAddress(email, token: token.secret, at: settings.publicURL), transaction)
    }

    /// Sends the link once more, where it is wanted. The caller is told nothing.
    package func requestVerification(of email: String) async throws {
        guard let account = try await account(withEmail: email), !account.isVerified, !account.isDisabled
        else { return }
        try await pool.transaction(in: .user(account.id)) { transaction in
            try await sendVerification(to: account.email, of: account.id, transaction)
        }
    }

    package func verifyEmail(token text: String) async throws {
        try await useToken(text, for: .verifyEmail) { user, transaction in
            try await transaction.execute(
                """
                UPDATE users SET email_verified_at = coalesce(email_verified_at, \(time.timestamp()))
                WHERE id = \(user)
                """)
        }
    }

    // MARK: The password

    /// Sends a link by which a new password is set, if there is such an account. The caller is told nothing.
    package func requestPasswordReset(of email: String) async throws {
        guard let account = try await account(withEmail: email), !account.isDisabled else { return }
        try await pool.transaction(in: .user(account.id)) { transaction in
            let token = try await makeToken(for: .resetPassword, of: account.id, transaction)
            try await enqueue(
                .resetPassword(account.email, token: token.secret, at: settings.publicURL), transaction)
        }
    }

    /// Sets a new password by the secret of a mail, and ends all sessions.
    package func resetPassword(token text: String, to password: PasswordHash, address: String?) async throws {
        try await useToken(text, for: .resetPassword) { user, transaction in
            // The mailbox is theirs: the link came from it.
            try await transaction.execute(
                """
                UPDATE users SET email_verified_at = coalesce(email_verified_at, \(time.timestamp()))
                WHERE id = \(user)
                """)
            try await setPassword(
                password, of: user, sparing: nil, by: Actor(.session, user: user, address: address),
                transaction)
        }
    }

    /// Sets a new password and ends all sessions but `session`.
    package func setPassword(
        _ password: PasswordHash, of user: UUID, sparing session: UUID?, by actor: Actor
    ) async throws {
        try await pool.transaction(in: .user(user)) { transaction in
            try await setPassword(password, of: user, sparing: session, by: actor, transaction)
        }
    }

    private func setPassword(
        _ password: PasswordHash, of user: UUID, sparing session: UUID?, by actor: Actor,
        _ transaction: PostgresTransaction
    ) async throws {
        let email = try await transaction.query(
            """
            UPDATE users SET password_hash = \(password.text), password_changed_at = \(time.timestamp())
            WHERE id = \(user) RETURNING email
            """
        ).first?.decode(String.self)
        guard let email else { throw Problem.notFound("account") }
        try await transaction.execute(
            """
            UPDATE sessions SET revoked_at = \(time.timestamp())
            WHERE user_id = \(user) AND revoked_at IS NULL AND id IS DISTINCT FROM \(session)
            """)
        try await transaction.execute(
            """
            UPDATE user_tokens SET used_at = \(time.timestamp())
            WHERE user_id = \(user) AND purpose = \(MailedTokenPurpose.resetPassword) AND used_at IS NULL
            """)
        try await enqueue(.passwordChanged(email, at: settings.publicURL), transaction)
        try await recordInAll(
            of: user, AuditLog.Deed("password.change", "user", user), by: actor, transaction)
    }

    /// The same password in today's form.
    package func replaceHash(of user: UUID, with hash: PasswordHash, replacing old: PasswordHash) async throws
    {
        try await pool.transaction(in: .user(user)) { transaction in
            _ = try await transaction.execute(
                """
                UPDATE users SET password_hash = \(hash.text)
                WHERE id = \(user) AND password_hash = \(old.text)
                """)
        }
    }

    /// What concerns a person is written down in each of their organizations.
    func recordInAll(
        of user: UUID, _ deed: AuditLog.Deed, by actor: Actor, _ transaction: PostgresTransaction
    ) async throws {
        let organizations = try await transaction.query(
            "SELECT org_id FROM memberships WHERE user_id = \(user) ORDER BY org_id"
        ).decode(UUID.self)
        for organization in organizations {
            try await transaction.enter(.organization(organization))
            try await audit.record(deed, by: actor, in: organization, at: time.timestamp(), transaction)
        }
    }

    // MARK: Secrets in mails

    private func makeToken(
        for purpose: MailedTokenPurpose, of user: UUID, _ transaction: PostgresTransaction
    ) async throws -> PresentedSecret {
        let token = PresentedSecret.make()
        try await transaction.execute(
            """
            INSERT INTO user_tokens (digest, user_id, purpose, expires_at)
            VALUES (\(token.digest), \(user), \(purpose), \(time.timestamp() + purpose.lifetime))
            """)
        return token
    }

    /// Runs `body` for whom the token was sent to, once: of several who present it at the same time one gets through.
    private func useToken(
        _ text: String, for purpose: MailedTokenPurpose,
        _ body: (UUID, PostgresTransaction) async throws -> Void
    ) async throws {
        guard let token = PresentedSecret(presented: text) else { throw Problem.invalidLink }
        try await pool.transaction(in: .token(token.digest)) { transaction in
            let found = try await transaction.query(
                "SELECT user_id FROM user_tokens WHERE digest = \(token.digest) AND purpose = \(purpose)")
            guard let user = try found.first?.decode(UUID.self) else { throw Problem.invalidLink }
            try await transaction.enter(.user(user))
            let used = try await transaction.execute(
                """
                UPDATE user_tokens SET used_at = \(time.timestamp())
                WHERE digest = \(token.digest) AND used_at IS NULL AND expires_at > \(time.timestamp())
                  AND EXISTS (SELECT FROM users WHERE id = user_id AND disabled_at IS NULL)
                """)
            guard used == 1 else { throw Problem.invalidLink }
            try await body(user, transaction)
        }
    }
}
