package import Base
import JSON
import Postgres

extension IdentityStore {
    /// Of one organization, revoked ones aside.
    package static let largestKeyCount = 10_000

    /// Gives a member a new key.
    package func makeKey(
        _ new: NewKey, for user: UUID, of organization: UUID, by actor: Actor
    ) async throws -> (key: APIKey, stored: StoredKey) {
        let key = APIKey.make()
        let id = UUID.make(at: time.timestamp())
        return try await transaction(of: organization, by: user) { transaction in
            try await refuseTooManyKeys(of: organization, transaction)
            try await add(key, new, id: id, to: user, of: organization, by: actor, transaction)
            return (key, try await stored(id, transaction))
        }
    }

    private func refuseTooManyKeys(of organization: UUID, _ transaction: PostgresTransaction) async throws {
        let count = try await transaction.query(
            "SELECT count(*) FROM api_keys WHERE org_id = \(organization) AND revoked_at IS NULL")[0]
            .decode(Int64.self)
        guard count < Self.largestKeyCount else {
            throw Problem(
                .conflict, code: "too_many_keys",
                "There are \(Self.largestKeyCount) keys in this organization. Revoke some first.")
        }
    }

    func add(
        _ key: APIKey, _ new: NewKey, id: UUID, to user: UUID, of organization: UUID, by actor: Actor,
        _ transaction: PostgresTransaction
    ) async throws {
        let (digest, version) = peppers.digest(of: key)
        let now = time.timestamp()
        try await transaction.execute(
            """
            INSERT INTO api_keys (id, org_id, user_id, name, digest, pepper_version, last_four, scopes,
                allowed_models, limits, expires_at, rotated_from, created_at)
            VALUES (\(id), \(organization), \(user), \(new.name), \(digest), \(Int16(version)),
                \(key.lastFour), \(new.scopes), \(new.allowedModels), \(new.limits), \(new.expiresAt),
                \(new.rotatedFrom), \(now))
            """)
        try await audit.record(
            AuditLog.Deed(
                new.rotatedFrom == nil ? "key.create" : "key.rotate", "api_key", id,
                after: Self.description(try await stored(id, transaction))),
            by: actor, in: organization, at: now, transaction)
    }

    package func keys(of organization: UUID) async throws -> [StoredKey] {
        try await pool.transaction(tenant: organization, readOnly: true) { transaction in
            try await transaction.query(
                """
                SELECT \(StoredKey.columns) FROM api_keys WHERE org_id = \(organization) AND revoked_at IS NULL
                ORDER BY created_at, id LIMIT \(Self.largestKeyCount)
                """
            ).decode { row throws(PostgresError) in try StoredKey(row) }
        }
    }

    package func key(_ id: UUID, of organization: UUID) async throws -> StoredKey {
        try await pool.transaction(tenant: organization, readOnly: true) { try await stored(id, $0) }
    }

    /// One that is not revoked.
    private func stored(
        _ id: UUID, forUpdate: Bool = false, _ transaction: PostgresTransaction
    ) async throws -> StoredKey {
        let found = try await transaction.query(
            """
            SELECT \(StoredKey.columns) FROM api_keys WHERE id = \(id) AND revoked_at IS NULL
            \(forUpdate ? "FOR UPDATE" : "" as SQL)
            """)
        guard let row = found.first else { throw Problem.notFound("API key") }
        return try StoredKey(row)
    }

    /// Changes what a key may do. `mayChange` says of the key's owner whether the caller may.
    package func changeKey(
        _ id: UUID, of organization: UUID, _ patch: KeyPatch, by actor: Actor,
        where mayChange: @Sendable (StoredKey) throws -> Void
    ) async throws -> (stored: StoredKey, change: KeyChange) {
        try await transaction(of: organization, by: actor.user) { transaction in
            let before = try await stored(id, forUpdate: true, transaction)
            try mayChange(before)
            let models = patch.allowedModels ?? before.allowedModels
            let expiresAt = patch.expiresAt ?? before.expiresAt
            try await transaction.execute(
                """
                UPDATE api_keys SET name = \(patch.name ?? before.name), scopes = \(patch.scopes ?? before.scopes),
                    allowed_models = \(models), limits = \(patch.limits ?? before.limits),
                    expires_at = \(expiresAt)
                WHERE id = \(id)
                """)
            let after = try await stored(id, transaction)
            try await audit.record(
                AuditLog.Deed(
                    "key.change", "api_key", id, before: Self.description(before),
                    after: Self.description(after)),
                by: actor, in: organization, at: time.timestamp(), transaction)
            return (after, try await raiseKeyGeneration(of: organization, transaction))
        }
    }

    /// Makes a key that takes another's place; the other goes on for `overlap`, so that clients can be changed over.
    package func rotateKey(
        _ id: UUID, of organization: UUID, overlap: Duration, by actor: Actor,
        where mayChange: @Sendable (StoredKey) throws -> Void
    ) async throws -> (key: APIKey, stored: StoredKey, change: KeyChange) {
        let key = APIKey.make()
        let newID = UUID.make(at: time.timestamp())
        return try await transaction(of: organization, by: actor.user) { transaction in
            let old = try await stored(id, forUpdate: true, transaction)
            try mayChange(old)
            let end = time.timestamp() + overlap
            try await transaction.execute(
                "UPDATE api_keys SET expires_at = least(expires_at, \(end)) WHERE id = \(id)")
            let new = NewKey(
                name: old.name, scopes: old.scopes, allowedModels: old.allowedModels, limits: old.limits,
                expiresAt: old.expiresAt, rotatedFrom: id)
            try await add(key, new, id: newID, to: old.user, of: organization, by: actor, transaction)
            let change = try await raiseKeyGeneration(of: organization, transaction)
            return (key, try await stored(newID, transaction), change)
        }
    }

    /// Ends a key. No process admits it once the change has been announced.
    package func revokeKey(
        _ id: UUID, of organization: UUID, by actor: Actor,
        where mayChange: @Sendable (StoredKey) throws -> Void = { _ in }
    ) async throws -> KeyChange {
        try await transaction(of: organization, by: actor.user) { transaction in
            let before = try await stored(id, forUpdate: true, transaction)
            try mayChange(before)
            try await transaction.execute(
                "UPDATE api_keys SET revoked_at = \(time.timestamp()) WHERE id = \(id)")
            try await audit.record(
                AuditLog.Deed("key.revoke", "api_key", id, before: Self.description(before)), by: actor,
                in: organization, at: time.timestamp(), transaction)
            return try await raiseKeyGeneration(of: organization, transaction)
        }
    }

    /// For the audit trail.
    private static func description(_ key: StoredKey) -> String {
        var json = JSONWriter()
        json.object { json in
            json.field("name", key.name)
            json.field("user_id", key.user.description)
            json.field("last_four", key.lastFour)
            json.array("scopes", key.scopes)
            json.key("allowed_models")
            if let models = key.allowedModels {
                json.array { json in for model in models { json.value(model) } }
            } else {
                json.null()
            }
            json.field("limits", raw: key.limits.bytes)
            json.field("expires_at", key.expiresAt?.description)
        }
        return String(decoding: json.bytes, as: UTF8.self)
    }
}

extension StoredKey {
    static let columns: SQL = """
        id, user_id, name, last_four, scopes, allowed_models, limits, created_at, expires_at, revoked_at,
        last_used_at, rotated_from
        """

    init(_ row: PostgresRow) throws(PostgresError) {
        self.init(
            id: try row.decode(UUID.self, "id"), user: try row.decode(UUID.self, "user_id"),
            name: try row.decode(String.self, "name"), lastFour: try row.decode(String.self, "last_four"),
            scopes: try row.decode([String].self, "scopes"),
            allowedModels: try row.decode([String]?.self, "allowed_models"),
            limits: try row.decode(PostgresJSON.self, "limits"),
            createdAt: try row.decode(Timestamp.self, "created_at"),
            expiresAt: try row.decode(Timestamp?.self, "expires_at"),
            revokedAt: try row.decode(Timestamp?.self, "revoked_at"),
            lastUsedAt: try row.decode(Timestamp?.self, "last_used_at"),
            rotatedFrom: try row.decode(UUID?.self, "rotated_from"))
    }
}
