import Base
import Postgres

/// What is asked of the sums.
struct OverviewStatements {
    let organization: UUID

    private static let counts: SQL = """
        string_agg(int2send(slot) || int8send(whole) || int8send(first_token), ''::bytea) AS counts
        """

    /// Of which side of use sums are wanted.
    enum Facet: String {
        case all, provider, model, key, user
    }

    /// Rows of a point, a name, and what was used.
    func sums(of facet: Facet, _ name: String? = nil, in spans: [PointSpan]) -> SQL {
        let rows: SQL = "FROM usage_facets WHERE \(lies(facet, name))"
        return """
            SELECT point, name, \(UsageTotals.columns)
            FROM (\(each(spans, named(facet, name, UsageTotals.parts, rows)))) AS used GROUP BY point, name
            """
    }

    /// Rows of a point, a name, and how many took how long, as `LatencyHistogram.Pair` reads it: of a chart of hours there are a
    /// hundred thousand.
    func latencies(of facet: Facet, _ name: String? = nil, in spans: [PointSpan]) -> SQL {
        let rows: SQL = "FROM usage_facet_latencies WHERE \(lies(facet, name))"
        // Of many names what is long is made short here; else that takes longer than to read it.
        let slots: SQL = """
            FROM (
                SELECT name, slot, sum(whole)::bigint AS whole, sum(first_token)::bigint AS first_token \(rows)
                GROUP BY name, slot
            ) AS slots
            """
        let isOne = facet == .all || name != nil
        return """
            SELECT point, name, string_agg(counts, ''::bytea)
            FROM (\(each(spans, named(facet, name, Self.counts, isOne ? rows : slots)))) AS used GROUP BY point, name
            """
    }

    /// What rows add up to by their name. Where there is but one they are not sorted for it.
    private func named(_ facet: Facet, _ name: String?, _ sums: SQL, _ rows: SQL) -> SQL {
        guard let one = facet == .all ? "" : name else { return "SELECT name, \(sums) \(rows) GROUP BY name" }
        return "SELECT \(one)::text AS name, \(sums) \(rows) HAVING count(*) > 0"
    }

    /// Of tags less is known.
    func tags(in spans: [PointSpan]) -> SQL {
        """
        SELECT point, tag AS name, \(UsageTotals.columns)
        FROM (
            SELECT point, tag, calls, errors, 0 AS lookups, 0 AS hits, input, 0 AS cached_input, output, cost_nano,
                charge_nano, saved_nano
            FROM \(wanted(spans)), LATERAL (
                SELECT * FROM usage_tags WHERE org_id = \(organization) AND minutes = wanted.length
                    AND bucket >= wanted.low AND bucket < wanted.high OFFSET 0
            ) AS parts
        ) AS used GROUP BY point, tag
        """
    }

    /// For each span what lies in it, which is one stretch of the index, added up there: to sort all of it takes far longer.
    private func each(_ spans: [PointSpan], _ sums: SQL) -> SQL {
        "SELECT point, parts.* FROM \(wanted(spans)), LATERAL (\(sums)) AS parts"
    }

    private func lies(_ facet: Facet, _ name: String?) -> SQL {
        """
        org_id = \(organization) AND facet = \(facet.rawValue) AND minutes = wanted.length AND bucket >= wanted.low
            AND bucket < wanted.high \(name.map { "AND name = \($0)" } ?? "" as SQL)
        """
    }

    private func wanted(_ spans: [PointSpan]) -> SQL {
        """
        (SELECT 'epoch'::timestamptz + point * interval '1 microsecond' AS point, length::smallint,
            'epoch'::timestamptz + low * interval '1 microsecond' AS low,
            'epoch'::timestamptz + high * interval '1 microsecond' AS high
        FROM unnest(\(spans.map(\.point.microseconds))::bigint[], \(spans.map { Int64($0.span.minutes) })::bigint[],
            \(spans.map(\.span.start.microseconds))::bigint[], \(spans.map(\.span.end.microseconds))::bigint[]
        ) AS given (point, length, low, high)) AS wanted
        """
    }

    /// When each point begins, in their order; the first may begin before the query does. An hour that comes twice, when clocks
    /// are put back, is two points.
    static func points(of query: OverviewQuery) -> SQL {
        let zone = query.zone
        let (start, end) = (query.start, query.end)
        switch query.interval {
        case .quarterHour:
            return
                "SELECT generate_series(\(start)::timestamptz, \(end)::timestamptz - interval '1 minute', '15 minutes')"
        case .hour:
            return """
                SELECT DISTINCT bucket - make_interval(mins => extract(minute FROM bucket AT TIME ZONE \(zone)::text)::integer)
                FROM generate_series(\(start)::timestamptz, \(end)::timestamptz - interval '1 minute', '15 minutes') AS bucket
                ORDER BY 1
                """
        case .day:
            // No day is as short as the steps.
            return """
                SELECT DISTINCT date_trunc('day', moment, \(zone)::text)
                FROM (
                    SELECT generate_series(\(start)::timestamptz, \(end)::timestamptz, '12 hours')
                    UNION ALL SELECT \(end)::timestamptz - interval '1 minute'
                ) AS moments (moment)
                WHERE moment < \(end)::timestamptz ORDER BY 1
                """
        }
    }
}

/// Sums that are part of a point.
struct PointSpan {
    let point: Timestamp
    let span: RollupSpan

    /// From `start` until `end`.
    static func covering(
        _ start: Timestamp, _ end: Timestamp, as point: Timestamp? = nil, coarsest: Int16 = 10_080,
        finest: Int16 = 15
    ) -> [PointSpan] {
        RollupSpan.covering(start, end, coarsest: coarsest, finest: finest).map {
            PointSpan(point: point ?? start, span: $0)
        }
    }
}
