import Base
package import Postgres

/// Recomputes the books: what is written down once must add up to all that is written down elsewhere.
package struct BookVerification: Sendable {
    private let pool: PostgresPool

    package init(_ pool: PostgresPool) { self.pool = pool }

    /// What was looked at.
    package struct Check: Sendable {
        package let name: String
        /// Where the first difference is; nil: there is none.
        package let difference: String?
    }

    /// All of it has this long.
    private static let timeout = Duration.seconds(3600)

    /// Looks at everything as it was at one moment, while gateways go on. Tells `tell` of each check when it is done.
    package func run(_ tell: (Check) -> Void) async throws {
        try await pool.transaction(isolation: .repeatableRead) { transaction in
            _ = try await transaction.query(
                "SELECT set_config('app.system', 'on', true), set_config('work_mem', '256MB', true)")
            for (name, statement) in Self.checks {
                let found = try await transaction.query(statement, timeout: Self.timeout).decode(String.self)
                tell(Check(name: name, difference: found.first))
            }
        }
    }

    /// Before then there are no events any more.
    private static let horizon: SQL =
        "(SELECT coalesce(max(ended), '-infinity') FROM usage_dropped_months)"
    /// Batches of which not all events are there any more.
    private static let incomplete: SQL = "(SELECT id FROM usage_batches WHERE first_at < \(horizon))"

    /// Each says where its first difference is, in one line of text.
    private static let checks: [(String, SQL)] = [
        ("events are as they were booked", batches),
        ("transfers pay for their events", transfers),
        ("balances follow from transfers", balances),
        ("balances add up to nothing", zero),
        ("limits have settled what events say", limits),
        ("rollups add up", rollups),
        ("facets add up", facets),
        ("latencies add up", latencies),
        ("tags add up", tags),
    ]

    private static let batches: SQL = """
        WITH found AS (
            SELECT batch_id, count(*) AS events, sum(usage_digest(usage_events)) AS digest
            FROM usage_events WHERE batch_id NOT IN \(incomplete) GROUP BY batch_id
        ), kept AS (SELECT * FROM usage_batches WHERE first_at >= \(horizon))
        SELECT CASE
            WHEN found.batch_id IS NULL THEN 'batch ' || batch.id || ' has lost its ' || batch.events || ' events'
            WHEN batch.id IS NULL THEN 'events of batch ' || found.batch_id || ', which there is not'
            WHEN found.events <> batch.events THEN
                'batch ' || batch.id || ' had ' || batch.events || ' events and has ' || found.events
            ELSE 'an event of batch ' || batch.id || ' was changed' END
        FROM kept AS batch FULL JOIN found ON found.batch_id = batch.id
        WHERE (found.events, found.digest) IS DISTINCT FROM (batch.events, batch.digest)
        ORDER BY coalesce(batch.id, found.batch_id) LIMIT 1
        """

    /// What is not usage has no batch.
    private static let transfers: SQL = """
        WITH owed AS (
            SELECT batch_id, org_id, sum(charge_nano) AS charge,
                coalesce(sum(cost_nano) FILTER (WHERE NOT is_own_key), 0) AS cost, sum(written_off_nano) AS written_off
            FROM usage_events WHERE batch_id NOT IN \(incomplete) GROUP BY batch_id, org_id
        ), paid AS (
            SELECT batch_id, org_id,
                coalesce(sum(amount_nano) FILTER (WHERE debit IN ('promo', 'wallet', 'receivable')), 0) AS charge,
                coalesce(sum(amount_nano) FILTER (WHERE debit = 'provider_cost'), 0) AS cost,
                coalesce(sum(amount_nano) FILTER (WHERE debit = 'write_off'), 0) AS written_off
            FROM ledger_transfers WHERE batch_id IS NOT NULL AND batch_id NOT IN \(incomplete) GROUP BY batch_id, org_id
        )
        SELECT 'batch ' || batch_id || ' of organization ' || org_id || ': events charge '
            || coalesce(owed.charge, 0) || ', cost ' || coalesce(owed.cost, 0) || ' and write off '
            || coalesce(owed.written_off, 0) || ' nano-dollars, transfers ' || coalesce(paid.charge, 0) || ', '
            || coalesce(paid.cost, 0) || ' and ' || coalesce(paid.written_off, 0)
        FROM owed FULL JOIN paid USING (batch_id, org_id)
        WHERE (coalesce(owed.charge, 0), coalesce(owed.cost, 0), coalesce(owed.written_off, 0))
            <> (coalesce(paid.charge, 0), coalesce(paid.cost, 0), coalesce(paid.written_off, 0))
        ORDER BY batch_id, org_id LIMIT 1
        """

    private static let balances: SQL = """
        WITH moved AS (
            SELECT org_id, kind, sum(amount) AS amount
            FROM ledger_transfers, LATERAL (VALUES (debit, -amount_nano), (credit, amount_nano)) AS sides (kind, amount)
            GROUP BY org_id, kind
        )
        SELECT 'account ' || kind || ' of organization ' || org_id || ' has ' || coalesce(balance_nano, 0)
            || ' nano-dollars, and transfers ' || coalesce(amount, 0)
        FROM ledger_accounts FULL JOIN moved USING (org_id, kind)
        WHERE coalesce(balance_nano, 0) <> coalesce(amount, 0)
        ORDER BY org_id, kind LIMIT 1
        """

    private static let zero: SQL = """
        SELECT 'all balances together are ' || sum(balance_nano) || ' nano-dollars'
        FROM ledger_accounts HAVING sum(balance_nano) <> 0
        """

    /// A budget that was made late has in it what was used before.
    private static let limits: SQL = """
        WITH paid AS (
            SELECT limit_id, sum(nano) AS nano
            FROM (
                SELECT limit_id, nano
                FROM usage_events, LATERAL unnest(limit_ids, limit_nanos) AS charge (limit_id, nano)
                UNION ALL SELECT limit_id, nano FROM usage_dropped_payments
            ) AS charges GROUP BY limit_id
        )
        SELECT 'limit ' || id || ' of organization ' || org_id || ' has settled ' || settled_nano
            || ' nano-dollars, and events ' || opening_nano + coalesce(nano, 0)
        FROM money_limits LEFT JOIN paid ON paid.limit_id = id
        WHERE settled_nano <> opening_nano + coalesce(nano, 0)
        ORDER BY id LIMIT 1
        """

    // MARK: Sums

    private static var rollups: SQL {
        compared(
            "usage_rollups", finest: 15, coarser: [60, 1440], UsageStatements.quarters(of: "usage_events"),
            by: ["org_id", "user_id", "key_id", "provider", "model"], sums: UsageStatements.sums)
    }

    private static var facets: SQL {
        let added = UsageStatements.sums.map { "sum(\($0)) AS \($0)" }.joined(separator: ", ")
        return compared(
            "usage_facets", finest: 15, coarser: [60, 1440, 10080],
            """
            SELECT org_id, bucket, facet, name, \(unsafeSQL: added)
            FROM (\(UsageStatements.quarters(of: "usage_events"))) AS quarters, \(unsafeSQL: UsageStatements.facets)
            GROUP BY 1, 2, 3, 4
            """, by: ["org_id", "facet", "name"], sums: UsageStatements.sums)
    }

    private static var latencies: SQL {
        compared(
            "usage_facet_latencies", finest: 15, coarser: [60, 1440, 10080],
            """
            SELECT org_id, bucket, facet, name, slot, sum(whole) AS whole, sum(first_token) AS first_token
            FROM (\(UsageStatements.measured(in: "usage_events"))) AS measured, \(unsafeSQL: UsageStatements.facets)
            GROUP BY 1, 2, 3, 4, 5
            """, by: ["org_id", "facet", "name", "slot"], sums: UsageStatements.latencies)
    }

    private static var tags: SQL {
        compared(
            "usage_tags", finest: 60, coarser: [1440], UsageStatements.tagged(in: "usage_events"),
            by: ["org_id", "tag"], sums: UsageStatements.tagSums)
    }

    /// The finest sums against what events add up to, and each coarser against the finest.
    private static func compared(
        _ table: String, finest: Int, coarser: [Int], _ events: SQL, by columns: [String], sums: [String]
    ) -> SQL {
        let names = columns.joined(separator: ", ")
        let values = sums.joined(separator: ", ")
        let added = sums.map { "sum(\($0)) AS \($0)" }.joined(separator: ", ")
        let place = columns.map { "\($0)::text" }.joined(separator: ", ")
        func differing(_ left: String, _ right: String) -> String {
            let pairs = sums.map { "coalesce(\(left).\($0), 0) <> coalesce(\(right).\($0), 0)" }
            return pairs.joined(separator: " OR ")
        }
        let coarse = coarser.map { minutes in
            """
            SELECT '\(minutes)' AS minutes, bucket, concat_ws(' ', \(place)) AS place
            FROM (SELECT * FROM \(table) WHERE minutes = \(minutes)) AS kept
            FULL JOIN (
                SELECT date_bin('\(minutes) minutes', bucket, 'epoch') AS bucket, \(names), \(added)
                FROM \(table) WHERE minutes = \(finest) GROUP BY date_bin('\(minutes) minutes', bucket, 'epoch'), \(names)
            ) AS added USING (bucket, \(names))
            WHERE \(differing("kept", "added"))
            """
        }.joined(separator: "\nUNION ALL ")
        return """
            WITH found AS (\(events))
            SELECT minutes || ' minutes from ' || bucket || ' of ' || place || ' do not add up'
            FROM (
                SELECT '\(unsafeSQL: "\(finest)")' AS minutes, bucket, concat_ws(' ', \(unsafeSQL: place)) AS place
                FROM (SELECT bucket, \(unsafeSQL: names), \(unsafeSQL: values) FROM \(unsafeSQL: table)
                    WHERE minutes = \(unsafeSQL: "\(finest)") AND bucket >= \(horizon)) AS kept
                FULL JOIN (SELECT * FROM found WHERE bucket >= \(horizon)) AS found USING (bucket, \(unsafeSQL: names))
                WHERE \(unsafeSQL: differing("kept", "found"))
                UNION ALL \(unsafeSQL: coarse)
            ) AS differences
            ORDER BY bucket, minutes, place LIMIT 1
            """
    }
}
