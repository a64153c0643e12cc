package import Base
package import Postgres

/// What is used of months, in the database. Redis counts; from here it is filled where it has forgotten.
package struct QuotaStore: Sendable {
    /// Subjects in one statement.
    package static let batch = 1000
    /// As the table has them: what is longer, or a month that cannot be, is left out, so that the rest is kept.
    private static let longestSubject = 300
    private static let months: Range<Int64> = 2000 * 12..<3000 * 12

    private let pool: PostgresPool

    package init(_ pool: PostgresPool) { self.pool = pool }

    /// What one subject has used of a month.
    package struct Entry: Equatable, Sendable {
        package var organization: UUID
        package var month: Int64
        package var use: QuotaUse

        package init(organization: UUID, month: Int64, use: QuotaUse) {
            self.organization = organization
            self.month = month
            self.use = use
        }

        fileprivate var canBeKept: Bool {
            months.contains(month) && use.subject.unicodeScalars.count <= longestSubject
                && !use.subject.utf8.contains(0)
        }
    }

    /// Of those of the subjects of which anything is kept.
    package func load(
        _ organization: UUID, _ subjects: [Subject.Name], _ month: Int64
    ) async throws -> [QuotaUse] {
        try await pool.transaction(tenant: organization, readOnly: true) { transaction in
            try await transaction.query(
                """
                SELECT subject, requests, tokens FROM quota_use
                WHERE org_id = \(organization) AND month = \(month) AND subject = ANY(\(subjects.map(\.text)))
                """
            ).decode((String, Int64, Int64).self)
                .map { QuotaUse(subject: $0.0, requests: $0.1, tokens: $0.2) }
        }
    }

    /// Keeps the larger of what is known and what is told, of many organizations at once. Each subject's month is there
    /// once at most. One of an organization that is gone is left out.
    package func save(_ entries: [Entry]) async throws {
        let entries = entries.filter(\.canBeKept)
        if entries.isEmpty { return }
        try await pool.transaction { transaction in
            _ = try await transaction.query("SELECT set_config('app.system', 'on', true)")
            // In one order everywhere: loops and processes write the same rows.
            try await transaction.execute(
                """
                INSERT INTO quota_use (org_id, subject, month, requests, tokens)
                SELECT told.* FROM unnest(
                    \(entries.map(\.organization)), \(entries.map(\.use.subject)), \(entries.map(\.month)),
                    \(entries.map(\.use.requests)), \(entries.map(\.use.tokens))
                ) AS told (org_id, subject, month, requests, tokens)
                JOIN organizations ON organizations.id = told.org_id AND purged_at IS NULL
                ORDER BY told.org_id, told.subject, told.month
                ON CONFLICT (org_id, subject, month) DO UPDATE SET
                    requests = GREATEST(quota_use.requests, EXCLUDED.requests),
                    tokens = GREATEST(quota_use.tokens, EXCLUDED.tokens)
                WHERE EXCLUDED.requests > quota_use.requests OR EXCLUDED.tokens > quota_use.tokens
                """)
        }
    }
}
