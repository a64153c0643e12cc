package import Base
import Postgres

/// What budgets have seen.
extension BudgetStore {
    package static let mostDays = 366

    /// A day of the organization's time zone.
    package struct Day: Equatable, Sendable {
        /// `2026-11-23`
        package var name: String
        package var nanodollars: Int64
    }

    /// What an organization has spent on each of its last days, the newest last: what calls cost and the commission on it, also
    /// where its own keys paid the providers.
    package func days(of organization: UUID, count: Int) async throws -> (zone: String, days: [Day]) {
        let now = time.timestamp()
        return try await pool.transaction(tenant: organization, readOnly: true) { transaction in
            let zone =
                try await transaction.query(
                    "SELECT time_zone FROM organizations WHERE id = \(organization)"
                ).decode(String.self).first ?? "UTC"
            let days = try await transaction.query(
                """
                SELECT to_char(day, 'YYYY-MM-DD'), (
                    SELECT coalesce(sum(cost_nano + commission_nano), 0)::bigint FROM usage_rollups
                    WHERE org_id = \(organization) AND minutes = 15
                        AND bucket >= first_moment(\(zone), day)
                        AND bucket < first_moment(\(zone), day + interval '1 day'))
                FROM generate_series(
                    date_trunc('day', \(now)::timestamptz AT TIME ZONE \(zone)::text)
                        - make_interval(days => \(Int32(min(count, Self.mostDays)))::integer - 1),
                    date_trunc('day', \(now)::timestamptz AT TIME ZONE \(zone)::text), interval '1 day') AS days (day)
                ORDER BY day
                """
            ).decode((String, Int64).self).map { Day(name: $0, nanodollars: $1) }
            return (zone, days)
        }
    }

    /// What a limit would have refused, were limits enforced.
    package struct Refusals: Equatable, Sendable {
        package var limit: UUID
        /// nil: it is no budget's.
        package var budget: UUID?
        package var name: String?
        package var subject: String?
        package var calls: Int64
        /// What those calls have cost.
        package var nanodollars: Int64
    }

    /// By limit, the most expensive first.
    package func refusals(
        of organization: UUID, from start: Timestamp, to end: Timestamp
    ) async throws -> [Refusals] {
        try await pool.transaction(tenant: organization, readOnly: true) { transaction in
            try await transaction.query(
                """
                WITH refused AS (
                    SELECT id, at, would_refuse FROM usage_events
                    WHERE org_id = \(organization) AND would_refuse IS NOT NULL AND at >= \(start) AND at < \(end)
                ), added AS (
                    SELECT refused.would_refuse, count(DISTINCT refused.id) AS calls, sum(
                        charge_nano + CASE WHEN is_own_key THEN coalesce(cost_nano, 0) ELSE 0 END) AS nano
                    FROM refused JOIN usage_events AS event ON event.id = refused.id AND event.at = refused.at
                    GROUP BY refused.would_refuse
                )
                SELECT would_refuse, budgets.id, name, window_limit.subject, calls, nano::bigint
                FROM added LEFT JOIN money_limits AS window_limit ON window_limit.id = would_refuse
                    LEFT JOIN budgets ON budgets.id = window_limit.budget_id
                ORDER BY nano DESC, would_refuse LIMIT \(Self.mostListed)
                """
            ).decode((UUID, UUID?, String?, String?, Int64, Int64).self).map {
                Refusals(limit: $0, budget: $1, name: $2, subject: $3, calls: $4, nanodollars: $5)
            }
        }
    }

    /// How an organization's budgets are meant: until then they refuse nobody; and what its wallet has.
    package func terms(
        of organization: UUID
    ) async throws -> (enforcedFrom: Timestamp?, wallet: BudgetWindow?) {
        try await pool.transaction(tenant: organization, readOnly: true) { transaction in
            let enforcedFrom = try await transaction.query(
                "SELECT budgets_enforced_from FROM organizations WHERE id = \(organization)"
            ).decode(Timestamp?.self).first
            let wallet = try await transaction.query(
                """
                SELECT \(BudgetWindow.columns) FROM money_limits AS window_limit
                WHERE org_id = \(organization) AND kind = 'wallet' AND subject = 'organization'
                """
            ).decode { row throws(PostgresError) in try BudgetWindow(row) }.first
            return (enforcedFrom ?? nil, wallet)
        }
    }

    /// Of the whole instance.
    func countByState() async throws -> [BudgetWindow.State: Int] {
        let now = time.timestamp()
        let rows = try await system(readOnly: true) { transaction in
            try await transaction.query(
                """
                SELECT state, count(*) FROM money_limits JOIN budgets ON budgets.id = budget_id, LATERAL (
                    SELECT CASE WHEN settled_nano >= cap_nano THEN 'spent'
                        WHEN settled_nano > 0 AND settled_nano::numeric * 100 >= cap_nano::numeric * thresholds[1]
                            THEN 'warned'
                        ELSE 'ok' END AS state
                ) AS states
                WHERE archived_at IS NULL AND (window_start IS NULL OR window_start <= \(now))
                    AND (window_end IS NULL OR window_end > \(now))
                GROUP BY state
                """
            ).decode((String, Int64).self)
        }
        return Dictionary(
            rows.compactMap { name, count in BudgetWindow.State(rawValue: name).map { ($0, Int(count)) } },
            uniquingKeysWith: +)
    }
}
