package import Base
package import Postgres

/// Reads what was used from the sums that metering keeps.
package struct AnalyticsStore: Sendable {
    let pool: PostgresPool

    package init(_ pool: PostgresPool) { self.pool = pool }

    /// All of it as of one moment.
    package func overview(of organization: UUID, _ query: OverviewQuery) async throws -> Overview {
        try await pool.transaction(tenant: organization, isolation: .repeatableRead, readOnly: true) {
            transaction in
            let coarsest = try await Self.coarsest(query, transaction)
            let statements = OverviewStatements(organization: organization, query: query)
            var tally = Tally()
            let spans = RollupSpan.covering(query.start, query.end, coarsest: coarsest)
            try await tally.add(statements.sums(spans), statements.latencies(spans), transaction)
            if query.grouping == .tag {
                let rows = try await transaction.query(
                    statements.tags(RollupSpan.covering(query.start, query.end, finest: 60)))
                for row in rows { try tally.add(row) }
            }
            var overview = tally.overview
            if query.comparesBefore {
                overview.before = try await before(query, of: organization, transaction)
            }
            return overview
        }
    }

    private func before(
        _ query: OverviewQuery, of organization: UUID, _ transaction: PostgresTransaction
    ) async throws -> UsageTotals {
        let start = query.start + .microseconds(query.start.microseconds - query.end.microseconds)
        return try await Self.totals(of: organization, from: start, to: query.start, transaction)
    }

    /// Between two quarter hours; nil: of all users.
    static func totals(
        of organization: UUID, by user: UUID? = nil, from start: Timestamp, to end: Timestamp,
        _ transaction: PostgresTransaction
    ) async throws -> UsageTotals {
        let spans = RollupSpan.covering(start, end)
        guard !spans.isEmpty else { return UsageTotals() }
        let sums = OverviewStatements.rows(of: organization, "usage_rollups", spans, by: user)
        let latencies = OverviewStatements.rows(of: organization, "usage_latencies", spans, by: user)
        var tally = Tally()
        try await tally.add(
            "SELECT \(start)::timestamptz, NULL::text, \(UsageTotals.columns) FROM (\(sums)) AS used GROUP BY org_id",
            """
            SELECT \(start)::timestamptz, NULL::text, slot, sum(whole)::bigint, sum(first_token)::bigint
            FROM (\(latencies)) AS used GROUP BY slot
            """, transaction)
        return tally.overview.totals
    }

    /// Of which sums the points can be made: days of UTC, hours, or quarter hours where a zone is off by less than an hour.
    private static func coarsest(
        _ query: OverviewQuery, _ transaction: PostgresTransaction
    ) async throws -> Int16 {
        switch query.interval {
        case .quarterHour: return 15
        case .hour, .day: break
        }
        let widest: Int16 = query.interval == .hour ? 60 : 1440
        if query.zone == "UTC" { return widest }
        let found = try await transaction.query(
            """
            SELECT CASE WHEN bool_and(away = 0) THEN 1440 WHEN bool_and(away % 3600 = 0) THEN 60 ELSE 15 END::smallint
            FROM (
                SELECT extract(epoch FROM (moment AT TIME ZONE \(query.zone)::text) - (moment AT TIME ZONE 'UTC'))::integer
                FROM (
                    SELECT generate_series(\(query.start)::timestamptz, \(query.end)::timestamptz, '1 day')
                    UNION ALL SELECT \(query.end)::timestamptz
                ) AS moments (moment)
            ) AS offsets (away)
            """
        ).decode(Int16.self)
        return min(widest, found.first ?? 15)
    }
}

/// What rows add up to, by point and by group.
private struct Tally {
    private var points: [Timestamp: UsageTotals] = [:]
    private var groups: [String: UsageTotals] = [:]

    mutating func add(_ sums: SQL, _ latencies: SQL, _ transaction: PostgresTransaction) async throws {
        for row in try await transaction.query(sums) { try add(row) }
        for row in try await transaction.query(latencies) {
            let (point, name, slot, whole, firstToken) = try row.decode(
                (Timestamp?, String?, Int16, Int64, Int64).self)
            change(point, name) {
                $0.latency.add(whole, in: slot)
                $0.firstToken.add(firstToken, in: slot)
            }
        }
    }

    mutating func add(_ row: PostgresRow) throws {
        let (point, name, a, b, c, d, e, f, g, h, i, j) = try row.decode(
            (
                Timestamp?, String?, Int64, Int64, Int64, Int64, Int64, Int64, Int64, Int64, Int64, Int64
            ).self)
        change(point, name) { $0 += UsageTotals((a, b, c, d, e, f, g, h, i, j)) }
    }

    private mutating func change(_ point: Timestamp?, _ name: String?, _ body: (inout UsageTotals) -> Void) {
        if let point { body(&points[point, default: UsageTotals()]) }
        if let name { body(&groups[name, default: UsageTotals()]) }
    }

    var overview: Overview {
        var overview = Overview()
        overview.points = points.map { Overview.Point(start: $0.key, totals: $0.value) }
            .sorted { $0.start < $1.start }
        for point in overview.points { overview.totals += point.totals }
        let sorted = groups.map { Overview.Group(name: $0.key, totals: $0.value) }.sorted {
            ($1.totals.charge, $1.totals.calls, $0.name) < ($0.totals.charge, $0.totals.calls, $1.name)
        }
        overview.groups = Array(sorted.prefix(OverviewQuery.mostGroups))
        overview.hasMoreGroups = sorted.count > overview.groups.count
        return overview
    }
}
