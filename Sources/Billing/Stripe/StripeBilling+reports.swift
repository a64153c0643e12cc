import Base
import Postgres
import Stripe

/// What organizations were charged for use, told to a meter of Stripe's: for its figures. It is invoiced by us, and a price on
/// that meter would ask for it twice.
extension StripeBilling {
    /// Organizations that are reported of in a round.
    private static let mostReports = 1000

    private struct Report {
        var organization: UUID
        var customer: String
        var id: UUID
        var cents: Int64
        var at: Timestamp
    }

    /// Reports what is new. One that fails holds up no other.
    func report(to meter: String) async throws -> [any Error] {
        var failures: [any Error] = []
        try await prepareReports()
        for report in try await openReports() {
            do {
                _ = try await stripe.reportUsage(
                    meter, of: report.customer, UInt64(report.cents), identifier: report.id.description,
                    at: report.at, key: report.id.description)
                try await end(report)
            } catch {
                try Task.checkCancellation()
                failures.append(error)
            }
        }
        return failures
    }

    /// Writes down what is to be reported, before Stripe is told: whole cents of what was earned and is not known there.
    private func prepareReports() async throws {
        let now = now
        try await store.system { transaction in
            let due = try await transaction.query(
                """
                SELECT org_id, (earned / \(USCents.nanodollars) - coalesce(reported_cents, 0))::bigint
                FROM (
                    SELECT org_id, sum(balance_nano)::bigint AS earned FROM ledger_accounts
                    WHERE kind IN ('usage_revenue', 'commission_revenue') GROUP BY org_id
                ) AS accounts
                JOIN stripe_customers USING (org_id)
                LEFT JOIN stripe_reports USING (org_id)
                WHERE stripe_id IS NOT NULL AND underway_id IS NULL
                    AND earned / \(USCents.nanodollars) > coalesce(reported_cents, 0)
                ORDER BY org_id LIMIT \(Self.mostReports)
                """
            ).decode((UUID, Int64).self)
            for (organization, cents) in due {
                try await transaction.execute(
                    """
                    INSERT INTO stripe_reports AS kept (org_id, reported_cents, underway_id, underway_cents, underway_at)
                    VALUES (\(organization), 0, \(UUID.make(at: now)), \(cents), \(now))
                    ON CONFLICT (org_id) DO UPDATE SET (underway_id, underway_cents, underway_at)
                        = (EXCLUDED.underway_id, EXCLUDED.underway_cents, EXCLUDED.underway_at)
                    WHERE kept.underway_id IS NULL
                    """)
            }
        }
    }

    private func openReports() async throws -> [Report] {
        try await store.system(readOnly: true) { transaction in
            try await transaction.query(
                """
                SELECT org_id, stripe_id, underway_id, underway_cents, underway_at
                FROM stripe_reports JOIN stripe_customers USING (org_id)
                WHERE underway_id IS NOT NULL ORDER BY underway_at LIMIT \(Self.mostReports)
                """
            ).decode((UUID, String, UUID, Int64, Timestamp).self)
        }.map { Report(organization: $0.0, customer: $0.1, id: $0.2, cents: $0.3, at: $0.4) }
    }

    private func end(_ report: Report) async throws {
        try await store.system { transaction in
            try await transaction.execute(
                """
                UPDATE stripe_reports SET reported_cents = reported_cents + underway_cents, underway_id = NULL,
                    underway_cents = NULL, underway_at = NULL
                WHERE org_id = \(report.organization) AND underway_id = \(report.id)
                """)
        }
    }
}
