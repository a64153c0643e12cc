package import Base
package import Postgres

/// Organizations' own prices.
extension CatalogStore {
    /// An organization's, in the order in which they were entered. What has ended comes only where that is wanted.
    package static func overrides(
        of organization: UUID, endedToo: Bool, at now: Timestamp, after: UUID? = nil, limit: Int,
        _ transaction: PostgresTransaction
    ) async throws -> [PriceOverride] {
        try await transaction.query(
            """
            SELECT \(PriceOverride.columns) FROM price_overrides
            WHERE org_id = \(organization) AND (\(after)::uuid IS NULL OR id > \(after))
                AND (\(endedToo) OR effective_to IS NULL OR effective_to > \(now))
            ORDER BY id LIMIT \(limit)
            """
        ).decode { row throws(PostgresError) in try PriceOverride(row) }
    }

    /// Those of an organization that hold at that moment, by model, in a transaction of its own or of the instance's.
    package static func overrides(
        of organization: UUID, holdingAt moment: Timestamp, _ transaction: PostgresTransaction
    ) async throws -> [String: PriceOverride] {
        let found = try await transaction.query(
            """
            SELECT \(PriceOverride.columns) FROM price_overrides
            WHERE org_id = \(organization) AND effective_from <= \(moment)
                AND (effective_to IS NULL OR effective_to > \(moment))
            ORDER BY id LIMIT \(largestCount)
            """
        ).decode { row throws(PostgresError) in try PriceOverride(row) }
        return Dictionary(found.map { ($0.model, $0) }) { first, _ in first }
    }

    /// Those of these that are still there, for whoever may see them.
    package static func overrides(
        named names: [UUID], _ transaction: PostgresTransaction
    ) async throws -> [PriceOverride] {
        if names.isEmpty { return [] }
        return try await transaction.query(
            "SELECT \(PriceOverride.columns) FROM price_overrides WHERE id = ANY(\(names))"
        ).decode { row throws(PostgresError) in try PriceOverride(row) }
    }

    /// In a transaction of the instance's. The one that holds when it begins ends there.
    package static func enter(_ override: PriceOverride, _ transaction: PostgresTransaction) async throws {
        let (organization, model, price) = (override.organization, override.model, override.price)
        guard try await transaction.query("SELECT FROM models WHERE id = \(model)").count == 1 else {
            throw PriceOverride.Fault.noModel
        }
        try await transaction.execute(
            """
            UPDATE price_overrides SET effective_to = \(price.from)
            WHERE org_id = \(organization) AND model_id = \(model) AND effective_from < \(price.from)
                AND (effective_to IS NULL OR effective_to > \(price.from))
            """)
        do throws(PostgresError) {
            try await transaction.execute(
                """
                INSERT INTO price_overrides (\(PriceOverride.columns))
                VALUES (\(override.id), \(organization), \(model), \(price.from), \(price.until), \(price.values))
                """)
        } catch {
            if case .exclusionViolation = error.kind { throw PriceOverride.Fault.overlaps }
            if error.sqlState == "HG004" { throw PriceOverride.Fault.tooMany }
            throw error
        }
    }

    /// In a transaction of the instance's: from now on the organization pays for the model what others do. What was
    /// announced is taken back. Says whether there was anything to end.
    package static func endOverrides(
        of organization: UUID, for model: String, at now: Timestamp, _ transaction: PostgresTransaction
    ) async throws -> Bool {
        let ended = try await transaction.execute(
            """
            UPDATE price_overrides SET effective_to = \(now)
            WHERE org_id = \(organization) AND model_id = \(model) AND effective_from < \(now)
                AND (effective_to IS NULL OR effective_to > \(now))
            """)
        let withdrawn = try await transaction.execute(
            """
            DELETE FROM price_overrides
            WHERE org_id = \(organization) AND model_id = \(model) AND effective_from >= \(now)
            """)
        return ended + withdrawn > 0
    }
}
