package import Base
package import Postgres

/// Organizations, people and keys in the database. Works as the application's role, so row-level security holds
/// for everything here as for everything else.
package struct IdentityStore: Sendable {
    private let pool: PostgresPool
    private let peppers: KeyPeppers

    package init(_ pool: PostgresPool, peppers: KeyPeppers) {
        self.pool = pool
        self.peppers = peppers
    }

    /// Whom a key with one of `digests` belongs to; `nil` if it is nobody's, revoked, or its owner is no longer there.
    package func caller(of digests: [[UInt8]]) async throws -> Caller? {
        try await pool.transaction(readOnly: true) { transaction in
            for digest in digests {
                let found = try await transaction.pipeline([
                    "SELECT set_config('app.key_digest', \(String(hex: digest)), true)",
                    """
                    SELECT id, org_id, user_id, scopes, allowed_models, expires_at FROM api_keys
                    WHERE digest = \(digest) AND revoked_at IS NULL
                    """,
                ])
                guard let row = found[1].first else { continue }
                return try await caller(of: row, in: transaction)
            }
            return nil
        }
    }

    private func caller(of row: PostgresRow, in transaction: PostgresTransaction) async throws -> Caller? {
        let (key, organization, user, scopes, models, expiresAt) = try row.decode(
            (UUID, UUID, UUID, [String], [String]?, Timestamp?).self)
        let found = try await transaction.pipeline([
            "SELECT set_config('app.org_id', \(organization.description), true)",
            """
            SELECT role FROM memberships
            JOIN organizations ON organizations.id = org_id AND organizations.deleted_at IS NULL
            JOIN users ON users.id = user_id AND users.disabled_at IS NULL
            WHERE org_id = \(organization) AND user_id = \(user)
            """,
        ])
        guard let membership = found[1].first else { return nil }
        return Caller(
            organization: organization, user: user, role: try membership.decode(Role.self, "role"), key: key,
            scopes: Set(scopes), allowedModels: models.map(Set.init), expiresAt: expiresAt)
    }

    /// What a new organization is given.
    package struct Founding: Sendable {
        package let organization: UUID
        package let user: UUID
        package let key: APIKey
    }

    /// Makes an organization with its owner and a first key, all or nothing. The password's hash is made by the
    /// caller, off the loop.
    package func found(
        organization name: String, owner email: String, password: PasswordHash
    ) async throws -> Founding {
        let founding = Founding(organization: .make(), user: .make(), key: .make())
        try await pool.transaction(tenant: founding.organization) { transaction in
            try await transaction.execute(
                "INSERT INTO organizations (id, name) VALUES (\(founding.organization), \(name))")
            try await transaction.execute(
                """
                INSERT INTO users (id, email, password_hash)
                VALUES (\(founding.user), \(email.lowercased()), \(password.text))
                """)
            try await transaction.execute(
                """
                INSERT INTO memberships (org_id, user_id, role)
                VALUES (\(founding.organization), \(founding.user), \(Role.owner))
                """)
            try await add(
                founding.key, named: "First key", to: founding.user, of: founding.organization,
                in: transaction)
        }
        return founding
    }

    /// Gives a member a new key.
    package func makeKey(named name: String, for user: UUID, of organization: UUID) async throws -> APIKey {
        let key = APIKey.make()
        try await pool.transaction(tenant: organization) { transaction in
            try await add(key, named: name, to: user, of: organization, in: transaction)
        }
        return key
    }

    private func add(
        _ key: APIKey, named name: String, to user: UUID, of organization: UUID,
        in transaction: PostgresTransaction
    ) async throws {
        let (digest, version) = peppers.digest(of: key)
        try await transaction.execute(
            """
            INSERT INTO api_keys (id, org_id, user_id, name, digest, pepper_version, last_four)
            VALUES (\(UUID.make()), \(organization), \(user), \(name), \(digest), \(Int16(version)), \(key.lastFour))
            """)
    }

    /// Ends a key from its next look-up on. Says whether there was one.
    package func revokeKey(_ key: UUID, of organization: UUID) async throws -> Bool {
        try await pool.transaction(tenant: organization) { transaction in
            try await transaction.execute(
                "UPDATE api_keys SET revoked_at = now() WHERE id = \(key) AND revoked_at IS NULL") > 0
        }
    }
}
