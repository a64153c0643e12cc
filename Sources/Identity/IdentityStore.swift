package import Base
package import Postgres

/// Organizations, people and keys in the database. Works as the application's role, so row-level security holds
/// for everything here as for everything else.
package struct IdentityStore: Sendable {
    let pool: PostgresPool
    private let peppers: KeyPeppers

    package init(_ pool: PostgresPool, peppers: KeyPeppers) {
        self.pool = pool
        self.peppers = peppers
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

    /// Ends a key, and gives the generation that its organization's keys have reached with that; `nil` if there was
    /// none. Announce it (`KeyGenerations`), so that other processes know at once.
    package func revokeKey(_ key: UUID, of organization: UUID) async throws -> Int64? {
        try await pool.transaction(tenant: organization) { transaction in
            let revoked = try await transaction.execute(
                "UPDATE api_keys SET revoked_at = now() WHERE id = \(key) AND revoked_at IS NULL")
            guard revoked > 0 else { return nil }
            return try await transaction.raiseKeyGeneration(of: organization)
        }
    }
}
