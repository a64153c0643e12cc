package import Base
import Postgres

extension AnalyticsStore {
    package static let largestPage = 1000

    /// The newest first, at most so many. Those that come into the books later, though they were let in before, are in their
    /// place when it is read again.
    package func calls(
        of organization: UUID, _ filter: CallFilter, limit: Int
    ) async throws -> [UsedCall] {
        try await pool.transaction(tenant: organization, readOnly: true) { transaction in
            let rows = try await transaction.query(
                """
                SELECT \(UsedCall.columns) FROM usage_events WHERE org_id = \(organization) AND id IN (
                    SELECT call.id FROM usage_events AS call WHERE \(filter.condition(organization))
                    ORDER BY call.id DESC LIMIT \(min(limit, Self.largestPage))
                ) ORDER BY id DESC, attempt
                """)
            return try UsedCall.calls(rows)
        }
    }
}
