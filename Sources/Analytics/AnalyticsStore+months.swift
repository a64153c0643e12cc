package import Base
import Postgres

/// What was used in a calendar month of the organization's time zone.
package struct UsageMonth: Sendable {
    /// `2026-11`.
    package let name: String
    package let start: Timestamp
    package let end: Timestamp
    package let totals: UsageTotals
}

extension AnalyticsStore {
    package static let mostMonths = 24

    /// That month and those before it, the newest first, and the time zone.
    package func months(
        of organization: UUID, by user: UUID? = nil, until now: Timestamp, count: Int = 1
    ) async throws -> (zone: String, months: [UsageMonth]) {
        try await pool.transaction(tenant: organization, isolation: .repeatableRead, readOnly: true) {
            transaction in
            let zone =
                try await transaction.query(
                    "SELECT time_zone FROM organizations WHERE id = \(organization)"
                ).decode(String.self).first ?? "UTC"
            let rows = try await transaction.query(
                """
                SELECT to_char(month, 'YYYY-MM'), month AT TIME ZONE \(zone)::text,
                    (month + interval '1 month') AT TIME ZONE \(zone)::text
                FROM generate_series(0, \(min(count, Self.mostMonths))::integer - 1) AS ago,
                    LATERAL (SELECT date_trunc('month', \(now)::timestamptz AT TIME ZONE \(zone)::text)
                        - make_interval(months => ago)) AS months (month)
                ORDER BY ago
                """
            ).decode((String, Timestamp, Timestamp).self)
            let statements = OverviewStatements(organization: organization)
            let (facet, member) = (user == nil ? .all : .user as OverviewStatements.Facet, user?.description)
            let spans = rows.flatMap { _, start, end in PointSpan.covering(start, end) }
            let found = try await transaction.pipeline([
                statements.sums(of: facet, member, in: spans),
                statements.latencies(of: facet, member, in: spans),
            ])
            var tally = UsageTally()
            try tally.add(sums: found[0])
            try tally.add(latencies: found[1])
            let months = rows.map { name, start, end in
                UsageMonth(name: name, start: start, end: end, totals: tally.points[start] ?? UsageTotals())
            }
            return (zone, months)
        }
    }

    /// Whether one is of the organization, or was and has used something.
    package func knows(_ user: UUID, in organization: UUID) async throws -> Bool {
        try await pool.transaction(tenant: organization, readOnly: true) { transaction in
            try await transaction.query(
                """
                SELECT EXISTS (SELECT FROM memberships WHERE org_id = \(organization) AND user_id = \(user))
                    OR EXISTS (SELECT FROM usage_facets WHERE org_id = \(organization) AND facet = 'user'
                        AND minutes = 1440 AND name = \(user.description))
                """
            ).decode(Bool.self).first ?? false
        }
    }
}
