package import Base
import Postgres

/// Which lines of an audit trail are wanted.
package struct AuditFilter: Sendable {
    package var action: String?
    package var actor: UUID?
    package var targetID: String?
    package var since: Timestamp?
    package var until: Timestamp?
    /// Older than this line.
    package var before: Int64?
    package var limit = 100

    package init() {}
}

extension IdentityStore {
    package static let largestAuditPage = 1000

    /// The newest first.
    package func auditTrail(of organization: UUID, _ filter: AuditFilter) async throws -> [AuditEntry] {
        let scope: Scope = organization == AuditEntry.instance ? .system : .organization(organization)
        return try await pool.transaction(in: scope, readOnly: true) { transaction in
            try await transaction.query(
                """
                SELECT \(AuditEntry.columns) FROM audit_entries
                WHERE org_id = \(organization)
                  AND (\(filter.action)::text IS NULL OR action = \(filter.action))
                  AND (\(filter.actor)::uuid IS NULL OR actor_user = \(filter.actor))
                  AND (\(filter.targetID)::text IS NULL OR target_id = \(filter.targetID))
                  AND (\(filter.since)::timestamptz IS NULL OR at >= \(filter.since))
                  AND (\(filter.until)::timestamptz IS NULL OR at < \(filter.until))
                  AND (\(filter.before)::bigint IS NULL OR sequence < \(filter.before))
                ORDER BY sequence DESC LIMIT \(min(filter.limit, Self.largestAuditPage))
                """
            ).decode { row throws(PostgresError) in try AuditEntry(row) }
        }
    }
}
