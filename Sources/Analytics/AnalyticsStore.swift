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
            let statements = OverviewStatements(organization: organization)
            let whole = PointSpan.covering(query.start, query.end)
            let points = try await Self.points(of: query, transaction)
            var wanted = [statements.sums(of: .all, in: points), statements.latencies(of: .all, in: points)]
            switch query.facet {
            case let facet?:
                wanted += [statements.sums(of: facet, in: whole), statements.latencies(of: facet, in: whole)]
            case nil where query.grouping == .tag:
                wanted.append(
                    statements.tags(
                        in: PointSpan.covering(query.start, query.end, coarsest: 1440, finest: 60)))
            case nil: break
            }
            if query.comparesBefore {
                let length = query.end.microseconds - query.start.microseconds
                let before = PointSpan.covering(query.start + .microseconds(-length), query.start)
                wanted += [statements.sums(of: .all, in: before), statements.latencies(of: .all, in: before)]
            }
            var found = try await transaction.pipeline(wanted)[...]

            var overview = Overview()
            var tally = UsageTally()
            try tally.add(sums: found.removeFirst())
            try tally.add(latencies: found.removeFirst())
            overview.points = tally.points.map { Overview.Point(start: $0.key, totals: $0.value) }
                .sorted { $0.start < $1.start }
            overview.totals = tally.names[""] ?? UsageTotals()
            if query.grouping != nil {
                var tally = UsageTally()
                try tally.add(sums: found.removeFirst())
                if query.facet != nil { try tally.add(latencies: found.removeFirst()) }
                overview.setGroups(tally.names)
            }
            if query.comparesBefore {
                var tally = UsageTally()
                try tally.add(sums: found.removeFirst())
                try tally.add(latencies: found.removeFirst())
                overview.before = tally.names[""] ?? UsageTotals()
            }
            return overview
        }
    }

    /// Between two moments, taken outwards to quarter hours.
    package func totals(
        of organization: UUID, from start: Timestamp, to end: Timestamp
    ) async throws -> UsageTotals {
        let spans = PointSpan.covering(start.roundedDown(to: 15), end.roundedUp(to: 15))
        let statement = OverviewStatements(organization: organization).sums(of: .all, in: spans)
        let rows = try await pool.transaction(tenant: organization, readOnly: true) { transaction in
            try await transaction.query(statement)
        }
        var tally = UsageTally()
        try tally.add(sums: rows)
        return tally.names[""] ?? UsageTotals()
    }

    /// Which sums the points are made of: each of the fewest.
    private static func points(
        of query: OverviewQuery, _ transaction: PostgresTransaction
    ) async throws -> [PointSpan] {
        let starts = try await transaction.pipeline([
            // To compile what runs for a tenth of a second takes longer than to run it.
            "SELECT set_config('jit', 'off', true)", OverviewStatements.points(of: query),
        ])[1].decode(Timestamp.self)
        return zip(starts, starts.dropFirst() + [query.end]).flatMap { start, end in
            PointSpan.covering(max(start, query.start), end, as: start)
        }
    }
}

extension OverviewQuery {
    /// nil: its groups, if any, are of tags.
    fileprivate var facet: OverviewStatements.Facet? {
        switch grouping {
        case .provider: .provider
        case .model: .model
        case .key: .key
        case .user: .user
        case .tag, nil: nil
        }
    }
}

extension Overview {
    fileprivate mutating func setGroups(_ names: [String: UsageTotals]) {
        let sorted = names.map { Group(name: $0.key, totals: $0.value) }.sorted {
            ($1.totals.charge, $1.totals.calls, $0.name) < ($0.totals.charge, $0.totals.calls, $1.name)
        }
        groups = Array(sorted.prefix(OverviewQuery.mostGroups))
        hasMoreGroups = sorted.count > groups.count
    }
}
