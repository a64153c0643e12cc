import Base
import Postgres

/// How arrivals become events, sums and transfers.
enum UsageStatements {
    /// The table through which lines come in: each connection has its own, empty at the beginning of a transaction.
    static var makeArrivals: SQL {
        let columns = UsageColumns.definition.map { "\($0.name) \($0.type)" }.joined(separator: ", ")
        return """
            CREATE TEMPORARY TABLE IF NOT EXISTS \(unsafeSQL: UsageColumns.table) (\(unsafeSQL: columns))
            ON COMMIT DELETE ROWS
            """
    }

    /// In the order of their names, so that nobody waits for each other.
    static var lockLimits: SQL {
        """
        SELECT FROM money_limits WHERE id IN (SELECT unnest(limit_ids) FROM usage_arrivals)
        ORDER BY id FOR NO KEY UPDATE
        """
    }

    /// Books what has arrived and was not there: events, their batch, what they add up to, what limits have paid, and the
    /// transfers. Says how many events that are.
    static func book(batch: UUID) -> SQL {
        """
        WITH fresh AS (\(events(batch))),
        batch AS (
            INSERT INTO usage_batches (id, events, digest, first_at, last_at)
            SELECT \(batch), count(*), sum(usage_digest(fresh)), min(at), max(at) FROM fresh HAVING count(*) > 0
        ),
        \(summaries),
        \(payments),
        \(transfers(batch))
        SELECT count(*) FROM fresh
        """
    }

    private static func events(_ batch: UUID) -> SQL {
        """
        INSERT INTO usage_events (
            id, attempt, at, is_last, calls, batch_id, org_id, user_id, key_id, request_id, endpoint, asked_model,
            provider, model, is_own_key, started, latency_us, first_token_us, outcome, fault, cache, is_estimated,
            input, cache_read, cache_write, cache_write_hour, audio_input, image_input, output, reasoning,
            audio_output, image_output, images, price_from, cost_nano, commission_nano, charge_nano, saved_nano,
            written_off_nano, is_prepaid, limit_ids, limit_nanos, would_refuse, tags, price_override
        )
        SELECT
            id, attempt, 'epoch'::timestamptz + at * interval '1 microsecond', is_last, calls, \(batch), org_id,
            user_id, key_id, request_id, endpoint, asked_model, provider, model, is_own_key,
            'epoch'::timestamptz + started * interval '1 microsecond', latency_us, first_token_us, outcome, fault,
            cache, is_estimated, input, cache_read, cache_write, cache_write_hour, audio_input, image_input, output,
            reasoning, audio_output, image_output, images,
            'epoch'::timestamptz + price_from * interval '1 microsecond', cost_nano, commission_nano, charge_nano,
            saved_nano, written_off_nano, is_prepaid, limit_ids, limit_nanos, would_refuse, tags, price_override
        FROM usage_arrivals ORDER BY id, attempt
        ON CONFLICT (id, attempt, at) DO NOTHING
        RETURNING *
        """
    }

    /// All in one order, so that drains that meet wait for each other in one direction.
    private static var summaries: SQL {
        """
        quarters AS (\(quarters(of: "fresh"))),
        rollups AS (\(adding(sums, from: "quarters", to: "usage_rollups", of: [15, 60, 1440],
            by: ["org_id", "user_id", "key_id", "provider", "model"]))),
        facets AS (\(adding(sums, from: "quarters, \(facets)", to: "usage_facets", of: [15, 60, 1440, 10_080],
            by: ["org_id", "facet", "name"]))),
        measured AS (\(measured(in: "fresh"))),
        latencies AS (\(adding(latencies, from: "measured, \(facets)", to: "usage_facet_latencies",
            of: [15, 60, 1440, 10_080], by: ["org_id", "facet", "name", "slot"]))),
        named AS (\(tagged(in: "fresh"))),
        tagged AS (\(adding(tagSums, from: "named", to: "usage_tags", of: [60, 1440], by: ["org_id", "tag"])))
        """
    }

    /// Adds rows to the sums of these lengths in which they lie.
    private static func adding(
        _ sums: [String], from rows: String, to table: String, of minutes: [Int], by columns: [String]
    ) -> SQL {
        let columns = ["minutes", "bucket"] + columns
        let names = columns.joined(separator: ", ")
        let places = (1...columns.count).map(String.init).joined(separator: ", ")
        let keys = columns.dropFirst(2).joined(separator: ", ")
        let added = sums.map { "sum(\($0))" }.joined(separator: ", ")
        let lengths = minutes.map { "(\($0))" }.joined(separator: ", ")
        let changes = sums.map { "\($0) = sums.\($0) + EXCLUDED.\($0)" }.joined(separator: ", ")
        return """
            INSERT INTO \(unsafeSQL: table) AS sums (\(unsafeSQL: names), \(unsafeSQL: sums.joined(separator: ", ")))
            SELECT minutes, date_bin(make_interval(mins => minutes), bucket, 'epoch'), \(unsafeSQL: keys), \(unsafeSQL: added)
            FROM \(unsafeSQL: rows), (VALUES \(unsafeSQL: lengths)) AS spans (minutes)
            GROUP BY \(unsafeSQL: places) ORDER BY org_id, 1, 2, \(unsafeSQL: keys)
            ON CONFLICT (\(unsafeSQL: names)) DO UPDATE SET \(unsafeSQL: changes)
            """
    }

    /// What limits have paid is settled, and no longer granted. More than was granted is spent where a call cost more than
    /// was held for it. Of a soft one nothing was held.
    private static let payments: SQL = """
        charges AS (
            SELECT limit_id, sum(nano)::bigint AS nano
            FROM fresh, LATERAL unnest(limit_ids, limit_nanos) AS charge (limit_id, nano) GROUP BY limit_id
        ),
        settled AS (
            UPDATE money_limits SET settled_nano = settled_nano + nano,
                granted_nano = CASE WHEN is_soft THEN granted_nano ELSE GREATEST(0, granted_nano - nano) END
            FROM charges WHERE id = limit_id
        ),
        ended AS (
            UPDATE money_grants SET state = 'spent', closed_at = now()
            WHERE closed_at IS NULL AND id IN (
                SELECT unnest(arrived.grant_ids) FROM usage_arrivals AS arrived
                JOIN fresh ON fresh.id = arrived.id AND fresh.attempt = arrived.attempt
                WHERE cardinality(arrived.grant_ids) > 0
            )
        )
        """

    /// One for each organization and pair of accounts: what calls cost and the commission on it are paid from what was given,
    /// then from the wallet, and else are owed. What no wallet paid is owed.
    private static func transfers(_ batch: UUID) -> SQL {
        """
        bills AS (
            SELECT org_id, is_prepaid, sum(charge_nano - least(commission_nano, charge_nano)) AS cost,
                sum(least(commission_nano, charge_nano)) AS commission
            FROM fresh GROUP BY org_id, is_prepaid
        ),
        sources AS (
            SELECT org_id, is_prepaid, source, cost, commission,
                sum(available) OVER (PARTITION BY org_id, is_prepaid ORDER BY place) - available AS low,
                sum(available) OVER (PARTITION BY org_id, is_prepaid ORDER BY place) AS high
            FROM bills, LATERAL (
                SELECT place, kind AS source, CASE
                    WHEN kind = 'receivable' THEN 4000000000000000000
                    WHEN NOT is_prepaid THEN 0
                    ELSE coalesce((
                        SELECT balance_nano FROM ledger_accounts AS account
                        WHERE account.org_id = bills.org_id AND account.kind = sources.kind
                    ), 0) END::numeric AS available
                FROM (VALUES (1, 'promo'), (2, 'wallet'), (3, 'receivable')) AS sources (place, kind)
            ) AS funds
        ),
        moves AS (
            SELECT org_id, source AS debit, target AS credit,
                LEAST(sources.high, targets.high) - GREATEST(sources.low, targets.low) AS amount
            FROM sources, LATERAL (
                VALUES ('usage_revenue', 0::numeric, cost), ('commission_revenue', cost, cost + commission)
            ) AS targets (target, low, high)
            WHERE LEAST(sources.high, targets.high) > GREATEST(sources.low, targets.low)
            UNION ALL SELECT org_id, 'provider_cost', 'cash', cost_nano FROM fresh WHERE NOT is_own_key AND cost_nano > 0
            UNION ALL SELECT org_id, 'write_off', 'cash', written_off_nano FROM fresh WHERE written_off_nano > 0
        ),
        booked AS (
            INSERT INTO ledger_transfers (id, org_id, debit, credit, amount_nano, reason, batch_id)
            SELECT gen_random_uuid(), org_id, debit, credit, sum(amount)::bigint, 'usage', \(batch)
            FROM moves GROUP BY org_id, debit, credit ORDER BY org_id, debit, credit
        )
        """
    }

    // MARK: What adds up

    static let sums = [
        "calls", "errors", "attempts", "hits", "lookups", "input", "cached_input", "output", "images",
        "cost_nano",
        "commission_nano", "charge_nano", "saved_nano",
    ]
    static let latencies = ["whole", "first_token"]
    static let tagSums = ["calls", "errors", "input", "output", "cost_nano", "charge_nano", "saved_nano"]

    /// Each row is part of all use, and of that of its provider, model, key and user.
    static let facets = """
        LATERAL (VALUES ('all', ''), ('provider', provider), ('model', model), ('key', key_id::text),
            ('user', user_id::text)) AS facets (facet, name)
        """

    /// What events add up to by quarter hour.
    static func quarters(of events: String) -> SQL {
        """
        SELECT org_id, date_bin('15 minutes', at, 'epoch') AS bucket, user_id, key_id, provider, model,
            coalesce(sum(calls) FILTER (WHERE is_last), 0) AS calls,
            coalesce(sum(calls) FILTER (WHERE is_last AND outcome IN ('failed', 'orphaned')), 0) AS errors,
            count(*) FILTER (WHERE attempt > 0) AS attempts,
            coalesce(sum(calls) FILTER (WHERE is_last AND outcome = 'kept'), 0) AS hits,
            coalesce(sum(calls) FILTER (WHERE is_last AND cache IS NOT NULL AND cache <> 'BYPASS'), 0) AS lookups,
            sum(input + cache_read + cache_write + cache_write_hour + audio_input + image_input) AS input,
            sum(cache_read) AS cached_input,
            sum(output + reasoning + audio_output + image_output) AS output,
            sum(images) AS images, coalesce(sum(cost_nano), 0) AS cost_nano,
            sum(commission_nano) AS commission_nano, sum(charge_nano) AS charge_nano,
            sum(saved_nano) AS saved_nano
        FROM \(unsafeSQL: events) GROUP BY 1, 2, 3, 4, 5, 6
        """
    }

    /// How long those took that were answered, by quarter hour.
    static func measured(in events: String) -> SQL {
        """
        SELECT org_id, date_bin('15 minutes', at, 'epoch') AS bucket, user_id, key_id, provider, model,
            floor(4 * ln(GREATEST(us, 1)::float8) / ln(2::float8))::smallint AS slot,
            count(*) FILTER (WHERE is_whole) AS whole, count(*) FILTER (WHERE NOT is_whole) AS first_token
        FROM \(unsafeSQL: events), LATERAL (VALUES (latency_us, true), (first_token_us, false)) AS times (us, is_whole)
        WHERE outcome = 'answered' AND us IS NOT NULL
        GROUP BY 1, 2, 3, 4, 5, 6, 7
        """
    }

    /// What events with a tag add up to by hour.
    static func tagged(in events: String) -> SQL {
        """
        SELECT org_id, date_bin('1 hour', at, 'epoch') AS bucket, name || '=' || value AS tag,
            coalesce(sum(calls) FILTER (WHERE is_last), 0) AS calls,
            coalesce(sum(calls) FILTER (WHERE is_last AND outcome IN ('failed', 'orphaned')), 0) AS errors,
            sum(input + cache_read + cache_write + cache_write_hour + audio_input + image_input) AS input,
            sum(output + reasoning + audio_output + image_output) AS output,
            coalesce(sum(cost_nano), 0) AS cost_nano, sum(charge_nano) AS charge_nano,
            sum(saved_nano) AS saved_nano
        FROM \(unsafeSQL: events), LATERAL jsonb_each_text(tags) AS each (name, value) WHERE tags IS NOT NULL
        GROUP BY 1, 2, 3
        """
    }
}
