import Base
import Postgres

/// What is needed to speak to an organization's identity provider.
struct SSOClient: Sendable {
    let organization: UUID
    let issuer: String
    let clientID: String
    let clientSecret: Secret
    let defaultRole: Role
}

extension IdentityStore {
    /// How long a person may take at the identity provider.
    static let ssoAttemptLifetime = Duration.seconds(600)

    /// `nil` where the organization has no single sign-on, is deleted, or never was.
    func ssoClient(of organization: UUID) async throws -> SSOClient? {
        try await pool.transaction(in: .organization(organization), readOnly: true) { transaction in
            try await ssoClient(of: organization, transaction)
        }
    }

    private func ssoClient(
        of organization: UUID, _ transaction: PostgresTransaction
    ) async throws -> SSOClient? {
        let found = try await transaction.query(
            """
            SELECT sso_connections.id, issuer, client_id, default_role, sealed, wrapped_key, master_version
            FROM sso_connections
            JOIN organizations ON organizations.id = org_id AND deleted_at IS NULL
            WHERE org_id = \(organization)
            """)
        guard let row = found.first else { return nil }
        let place = Vault.Place.singleSignOn(try row.decode(UUID.self, "id"), of: organization)
        return SSOClient(
            organization: organization, issuer: try row.decode(String.self, "issuer"),
            clientID: try row.decode(String.self, "client_id"),
            clientSecret: Secret(String(decoding: try vault.open(Sealed(row), at: place), as: UTF8.self)),
            defaultRole: try row.decode(Role.self, "default_role"))
    }

    /// Remembers that somebody has gone to the identity provider, and forgets those who never came back.
    func beginSSOAttempt(_ state: PresentedSecret, in organization: UUID) async throws {
        try await pool.transaction(in: .organization(organization)) { transaction in
            try await transaction.execute(
                "DELETE FROM sso_attempts WHERE org_id = \(organization) AND expires_at <= \(time.timestamp())"
            )
            try await transaction.execute(
                """
                INSERT INTO sso_attempts (state_digest, org_id, expires_at)
                VALUES (\(state.digest), \(organization), \(time.timestamp() + Self.ssoAttemptLifetime))
                """)
        }
    }

    /// The provider that somebody has gone to and comes back from, once. `nil` for whoever has not.
    func endSSOAttempt(_ state: PresentedSecret) async throws -> SSOClient? {
        try await pool.transaction(in: .token(state.digest)) { transaction in
            let found = try await transaction.query(
                "DELETE FROM sso_attempts WHERE state_digest = \(state.digest) RETURNING org_id, expires_at")
            guard let (organization, expiresAt) = try found.first?.decode((UUID, Timestamp).self),
                expiresAt > time.timestamp()
            else { return nil }
            try await transaction.enter(.organization(organization))
            return try await ssoClient(of: organization, transaction)
        }
    }
}
