import Base
package import Postgres

/// Finds the caller of a key in the database.
package struct CallerLookup: Sendable {
    private let pool: PostgresPool
    private let terms = TermsMemory()

    package init(_ pool: PostgresPool) { self.pool = pool }

    /// Whom a key with one of `digests` belongs to; `nil` if it is nobody's, revoked, or its owner is no longer there.
    ///
    /// All of it is read in one snapshot, so what was found is exactly as new as the generation beside it.
    package func caller(of digests: [KeyDigest]) async throws -> KnownCaller? {
        try await pool.transaction(isolation: .repeatableRead, readOnly: true) { transaction in
            for digest in digests {
                let found = try await transaction.pipeline([
                    Scope.key(digest.bytes).sql,
                    """
                    SELECT id, org_id, user_id, scopes, allowed_models, expires_at, NULLIF(limits, '{}') FROM api_keys
                    WHERE digest = \(digest) AND revoked_at IS NULL
                    """,
                ])
                guard let row = found[1].first else { continue }
                return try await caller(of: row, in: transaction)
            }
            return nil
        }
    }

    private func caller(of row: PostgresRow, in transaction: PostgresTransaction) async throws -> KnownCaller?
    {
        let (key, organization, user, scopes, models, expiresAt, limits) = try row.decode(
            (UUID, UUID, UUID, [String], [String]?, Timestamp?, PostgresJSON?).self)
        let found = try await transaction.pipeline([
            Scope.organization(organization).sql,
            """
            SELECT role, key_generation, routing IS NOT NULL OR EXISTS (
                SELECT FROM provider_credentials
                WHERE provider_credentials.org_id = \(organization) AND provider_credentials.disabled_at IS NULL
            ), \(OrganizationTerms.columns(keyNeedsMonths: OrganizationTerms.mayNeedMonths(limits?.bytes)))
            FROM memberships
            JOIN organizations ON organizations.id = org_id AND organizations.deleted_at IS NULL
            LEFT JOIN plans ON plans.name = plan
            JOIN users ON users.id = user_id AND users.disabled_at IS NULL
            WHERE org_id = \(organization) AND user_id = \(user)
            """,
        ])
        guard let row = found[1].first else { return nil }
        let (role, generation, hasOwnRoutes, columns) = try Self.decode(row)
        let caller = Caller(
            organization: organization, user: user, role: role, key: key, scopes: KeyScopes(names: scopes),
            allowedModels: models.map { AllowedModels($0) }, expiresAt: expiresAt, limits: limits?.bytes,
            ownRoutes: hasOwnRoutes ? generation : nil,
            terms: terms.shared(try OrganizationTerms.reading(columns), of: organization))
        return KnownCaller(caller, generation: generation)
    }

    private static func decode(
        _ row: PostgresRow
    ) throws(PostgresError) -> (Role, Int64, hasOwnRoutes: Bool, OrganizationTerms.Columns) {
        let (
            role, generation, hasOwnRoutes, plan, planLimits, rights, overrides, limits, zone, cachePolicy,
            months,
            moneyLimits, prices, points, mode, enforcedFrom
        ) = try row.decode(
            (
                Role, Int64, Bool, String?, PostgresJSON?, PostgresJSON?, PostgresJSON?, PostgresJSON?,
                String,
                PostgresJSON?,
                [Int64]?, PostgresJSON?, PostgresJSON?, Int32?, String?, Timestamp?
            ).self)
        return (
            role, generation, hasOwnRoutes,
            (
                plan, planLimits, rights, overrides, limits, zone, cachePolicy, months, moneyLimits, prices,
                points,
                mode,
                enforcedFrom
            )
        )
    }
}

extension IdentityStore {
    /// Whom a key with one of `digests` belongs to, asked of the database.
    package func caller(of digests: [KeyDigest]) async throws -> Caller? {
        try await CallerLookup(pool).caller(of: digests)?.caller
    }
}
