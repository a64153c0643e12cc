import Base
package import Postgres

/// Secrets of the instance that all its processes share: made once, kept sealed, and the same after the master key has
/// changed.
package struct InstanceSecrets: Sendable {
    private let pool: PostgresPool
    private let vault: Vault

    package init(_ pool: PostgresPool, _ vault: Vault) {
        self.pool = pool
        self.vault = vault
    }

    package enum Name: String, Sendable, CaseIterable {
        /// The codes of the audit trail are made under it.
        case audit
        /// From it comes what a sign-in by single sign-on must come back with.
        case singleSignOn = "sso"
    }

    /// The secret of that name: 32 bytes. Of several processes that ask first, one makes it.
    package func secret(_ name: Name) async throws -> [UInt8] {
        try await pool.transaction(in: .system) { transaction in
            let id = UUID.make()
            let secret = Random.bytes(32)
            let made = vault.seal(secret, at: .instanceSecret(id))
            let count = try await transaction.execute(
                """
                INSERT INTO instance_secrets (name, id, sealed, wrapped_key, master_version)
                VALUES (\(name.rawValue), \(id), \(made.sealed), \(made.wrappedKey), \(made.masterVersion))
                ON CONFLICT (name) DO NOTHING
                """)
            // The instance's own trail begins with the secret that it is made under.
            if count == 1, name == .audit {
                try await AuditLog(secret: secret).begin(AuditEntry.instance, transaction)
            }
            let row = try await transaction.query(
                """
                SELECT id, sealed, wrapped_key, master_version FROM instance_secrets
                WHERE name = \(name.rawValue)
                """)[0]
            return try vault.open(Sealed(row), at: .instanceSecret(row.decode(UUID.self, "id")))
        }
    }
}

extension Vault.Place {
    static func instanceSecret(_ id: UUID) -> Vault.Place {
        Vault.Place(kind: "instance_secret", organization: nil, row: id)
    }
}
