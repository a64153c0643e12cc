import Base
import Postgres

/// What is asked of the sums. Each row is of a point or of a group: the other is NULL.
struct OverviewStatements {
    let organization: UUID
    let query: OverviewQuery

    func sums(_ spans: [RollupSpan]) -> SQL {
        """
        SELECT point, \(given) AS name, \(UsageTotals.columns)
        FROM (SELECT \(point) AS point, \(name) AS name, parts.* FROM (\(rows("usage_rollups", spans))) AS parts) AS used
        GROUP BY GROUPING SETS ((point)\(isGrouped ? ", (name)" : Self.nothing))
        """
    }

    func latencies(_ spans: [RollupSpan]) -> SQL {
        """
        SELECT point, \(given) AS name, slot, sum(whole)::bigint, sum(first_token)::bigint
        FROM (SELECT \(point) AS point, \(name) AS name, parts.* FROM (\(rows("usage_latencies", spans))) AS parts) AS used
        GROUP BY GROUPING SETS ((point, slot)\(isGrouped ? ", (name, slot)" : Self.nothing))
        """
    }

    /// Of tags less is known.
    func tags(_ spans: [RollupSpan]) -> SQL {
        """
        SELECT NULL::timestamptz AS point, tag AS name, \(UsageTotals.columns)
        FROM (SELECT *, 0 AS lookups, 0 AS hits, 0 AS cached_input FROM (\(rows("usage_tags", spans))) AS parts) AS used
        GROUP BY tag
        """
    }

    private func rows(_ table: String, _ spans: [RollupSpan]) -> SQL {
        Self.rows(of: organization, table, spans)
    }

    /// The sums of some spans; nil: of all users.
    static func rows(
        of organization: UUID, _ table: String, _ spans: [RollupSpan], by user: UUID? = nil
    ) -> SQL {
        .joined(
            spans.map { span in
                """
                SELECT * FROM \(unsafeSQL: table)
                WHERE org_id = \(organization) AND minutes = \(span.minutes)
                  AND bucket >= \(span.start) AND bucket < \(span.end) \(user.map { "AND user_id = \($0)" } ?? Self.nothing)
                """
            }, by: " UNION ALL ")
    }

    /// When the point begins that a sum belongs to. An hour that comes twice, when clocks are put back, is two points.
    private var point: SQL {
        switch query.interval {
        case .quarterHour: "bucket"
        case .hour:
            "bucket - make_interval(mins => extract(minute FROM bucket AT TIME ZONE \(query.zone)::text)::integer)"
        case .day: "date_trunc('day', bucket, \(query.zone)::text)"
        }
    }

    private static let nothing: SQL = ""
    /// The name, where rows are grouped by it.
    private var given: SQL { isGrouped ? "name" : "NULL::text" }

    private var isGrouped: Bool { query.grouping != nil && query.grouping != .tag }

    private var name: SQL {
        switch query.grouping {
        case .provider: "provider"
        case .model: "model"
        case .key: "key_id::text"
        case .user: "user_id::text"
        case .tag, nil: "NULL::text"
        }
    }
}
