import Base
package import Postgres

extension IdentityStore {
    /// Whom a key with one of `digests` belongs to; `nil` if it is nobody's, revoked, or its owner is no longer there.
    package func caller(of digests: [[UInt8]]) async throws -> Caller? {
        try await CallerLookup(pool).caller(of: digests)
    }
}
package struct CallerLookup: Sendable {
    let pool: PostgresPool
    package init(_ pool: PostgresPool) { self.pool = pool }
    package func caller(of digests: [[UInt8]]) async throws -> Caller? {
        try await pool.transaction(readOnly: true) { transaction in
            for digest in digests {
                try await transaction.enter(.key(digest))
                let found = try await transaction.query(
                    """
                    SELECT id, org_id, user_id, scopes, allowed_models, expires_at FROM api_keys
                    WHERE digest = \(digest) AND revoked_at IS NULL
                    """)
                guard let row = found.first else { continue }
                let (key, organization, user, scopes, models, expiresAt) = try row.decode(
                    (UUID, UUID, UUID, [String], [String]?, Timestamp?).self)
                try await transaction.enter(.organization(organization))
                let role = try await transaction.query(
                    """
                    SELECT role FROM memberships
                    JOIN organizations ON organizations.id = org_id AND organizations.deleted_at IS NULL
                    JOIN users ON users.id = user_id AND users.disabled_at IS NULL
                    WHERE org_id = \(organization) AND user_id = \(user)
                    """
                ).first?.decode(Role.self)
                return role.map {
                    Caller(
                        organization: organization, user: user, role: $0, key: key, scopes: Set(scopes),
                        allowedModels: models.map(Set.init), expiresAt: expiresAt)
                }
            }
            return nil
        }
    }
}
