package import Base
package import Postgres

/// The keys under which access tokens are signed, shared by all processes.
package struct SigningKeyStore: Sendable {
    /// After a newer key has come, an older one verifies for so long: far more than a token lives.
    package static let overlap = Duration.seconds(3600)

    private let pool: PostgresPool
    private let vault: Vault
    private let audit: AuditLog
    private let time: TimeSource

    package init(_ pool: PostgresPool, _ vault: Vault, _ audit: AuditLog, time: TimeSource = .live) {
        self.pool = pool
        self.vault = vault
        self.audit = audit
        self.time = time
    }

    /// All keys that verify. The first process of an instance makes the first key.
    package func load() async throws -> [SigningKey] {
        try await pool.transaction(in: .system) { transaction in
            let keys = try await keys(transaction)
            if keys.contains(where: { $0.retiresAt == nil }) { return keys }
            // Only one process at a time makes a key.
            try await transaction.execute("LOCK TABLE signing_keys IN SHARE ROW EXCLUSIVE MODE")
            let again = try await self.keys(transaction)
            if again.contains(where: { $0.retiresAt == nil }) { return again }
            return again + [try await add(transaction)]
        }
    }

    /// Signs with a new key from now on; the others go on verifying for a while.
    package func rotate(by actor: Actor) async throws -> UUID {
        try await pool.transaction(in: .system) { transaction in
            try await transaction.execute("LOCK TABLE signing_keys IN SHARE ROW EXCLUSIVE MODE")
            let now = time.timestamp()
            try await transaction.execute("DELETE FROM signing_keys WHERE retires_at < \(now)")
            try await transaction.execute(
                "UPDATE signing_keys SET retires_at = \(now + Self.overlap) WHERE retires_at IS NULL")
            let key = try await add(transaction)
            try await audit.record(
                AuditLog.Deed("signing_key.rotate", "signing_key", key.id), by: actor,
                in: AuditEntry.instance,
                at: now, transaction)
            return key.id
        }
    }

    private func keys(_ transaction: PostgresTransaction) async throws -> [SigningKey] {
        let rows = try await transaction.query(
            """
            SELECT id, sealed, wrapped_key, master_version, created_at, retires_at FROM signing_keys
            WHERE retires_at IS NULL OR retires_at > \(time.timestamp()) ORDER BY created_at, id
            """)
        return try rows.map { row in
            let id = try row.decode(UUID.self, "id")
            let bytes = try vault.open(Sealed(row), at: .signingKey(id))
            guard let key = Ed25519PrivateKey(bytes: bytes) else { throw Vault.Failure.doesNotOpen }
            return SigningKey(
                id: id, privateKey: key, createdAt: try row.decode(Timestamp.self, "created_at"),
                retiresAt: try row.decode(Timestamp?.self, "retires_at"))
        }
    }

    private func add(_ transaction: PostgresTransaction) async throws -> SigningKey {
        let now = time.timestamp()
        let key = SigningKey(id: .make(at: now), privateKey: .make(), createdAt: now, retiresAt: nil)
        let sealed = vault.seal(key.privateKey.bytes, at: .signingKey(key.id))
        try await transaction.execute(
            """
            INSERT INTO signing_keys (id, public_key, sealed, wrapped_key, master_version, created_at)
            VALUES (\(key.id), \(key.privateKey.publicKey.bytes), \(sealed.sealed), \(sealed.wrappedKey),
                \(sealed.masterVersion), \(now))
            """)
        return key
    }
}

extension Vault.Place {
    static func signingKey(_ id: UUID) -> Vault.Place {
        Vault.Place(kind: "signing_key", organization: nil, row: id)
    }
}
