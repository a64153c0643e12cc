import Admission
import Base
import Identity
import Postgres

/// Thresholds, and who has been told of them.
extension BudgetStore {
    /// Windows that are looked through at once.
    static let batchOfAlerts = 200
    /// What was spent before its end comes into the books behind it.
    private static let echo = Duration.seconds(3600)

    /// Writes down which thresholds windows have reached, each once, and has mails sent in the same transaction; webhooks
    /// are due from then on. Of several that a window has reached at once only the highest is told.
    ///
    /// - Returns: how many were told, and whether there may be more; nil: another process is at it.
    func tell() async throws -> (count: Int, hasMore: Bool)? {
        let now = time.timestamp()
        return try await alone { transaction in
            let told = try await transaction.query(
                """
                WITH reached AS (
                    SELECT window_limit.*, thresholds, webhook_url IS NOT NULL AS has_webhook,
                        (SELECT max(threshold) FROM unnest(thresholds) AS each (threshold)
                        WHERE settled_nano::numeric * 100 >= cap_nano::numeric * threshold) AS highest
                    FROM money_limits AS window_limit JOIN budgets ON budgets.id = window_limit.budget_id
                    WHERE archived_at IS NULL AND settled_nano > 0 AND cardinality(thresholds) > 0
                        AND (window_start IS NULL OR window_start <= \(now))
                        AND (window_end IS NULL OR window_end > \(now + (.zero - Self.echo)))
                ), fresh AS (
                    SELECT * FROM reached WHERE highest IS NOT NULL AND EXISTS (
                        SELECT FROM unnest(thresholds) AS each (threshold) WHERE threshold <= highest AND NOT EXISTS (
                            SELECT FROM budget_alerts
                            WHERE limit_id = reached.id AND budget_alerts.threshold = each.threshold))
                    ORDER BY id LIMIT \(Self.batchOfAlerts)
                ), marked AS (
                    INSERT INTO budget_alerts (limit_id, threshold, id, org_id, budget_id, is_told, settled_nano, cap_nano,
                        created_at, next_attempt_at)
                    SELECT fresh.id, threshold, gen_random_uuid(), org_id, budget_id, told.is_told, settled_nano, cap_nano,
                        \(now), CASE WHEN told.is_told AND has_webhook THEN \(now)::timestamptz END
                    FROM fresh, unnest(thresholds) AS each (threshold), LATERAL (
                        SELECT threshold = highest AND NOT EXISTS (
                            SELECT FROM budget_alerts AS earlier
                            WHERE earlier.limit_id = fresh.id AND earlier.threshold >= highest) AS is_told
                    ) AS told
                    WHERE threshold <= highest
                    ON CONFLICT (limit_id, threshold) DO NOTHING
                    RETURNING limit_id, threshold, id, created_at AS told_at, is_told
                )
                SELECT \(Budget.columns), \(BudgetWindow.columns), marked.id AS event, threshold, told_at, is_told
                FROM marked JOIN fresh AS window_limit ON window_limit.id = marked.limit_id
                    JOIN budgets ON budgets.id = window_limit.budget_id
                """
            ).decode { row throws(PostgresError) in
                (try Self.alert(row), try row.decode(Bool.self, "is_told"))
            }
            var count = 0
            for (alert, isTold) in told where isTold {
                count += 1
                for address in alert.budget.emails {
                    try await identity.enqueue(alert.mail(to: address), transaction)
                }
            }
            return (count, Set(told.map(\.0.window.id)).count == Self.batchOfAlerts)
        }
    }

    private static func alert(_ row: PostgresRow) throws(PostgresError) -> BudgetAlert {
        BudgetAlert(
            id: try row.decode(UUID.self, "event"),
            threshold: Int(try row.decode(Int64.self, "threshold")),
            at: try row.decode(Timestamp.self, "told_at"), budget: try Budget(row),
            window: try BudgetWindow(row))
    }

    // MARK: Webhooks

    /// One that is to be sent: nobody else has it for the duration of the lease.
    struct DueWebhook: Sendable {
        var alert: BudgetAlert
        var url: String
        var secret: Secret
        /// How often it was tried, this time included.
        var attempt: Int
    }

    /// Takes webhooks that are due. What has nowhere to go any more, or whose secret does not open, is given up.
    func takeWebhooks(atMost count: Int, for lease: Duration) async throws -> [DueWebhook] {
        let now = time.timestamp()
        return try await system { transaction in
            let rows = try await transaction.query(
                """
                WITH taken AS (
                    UPDATE budget_alerts SET attempts = attempts + 1, next_attempt_at = \(now + lease)
                    WHERE (limit_id, threshold) IN (
                        SELECT limit_id, threshold FROM budget_alerts WHERE next_attempt_at <= \(now)
                        ORDER BY next_attempt_at LIMIT \(count) FOR UPDATE SKIP LOCKED)
                    RETURNING *
                )
                SELECT \(Budget.columns), window_limit.id AS limit_id, window_limit.window_start,
                    window_limit.window_end, taken.cap_nano, taken.settled_nano, window_limit.granted_nano,
                    taken.id AS event, threshold, taken.created_at AS told_at, attempts, sealed, wrapped_key,
                    master_version
                FROM taken JOIN money_limits AS window_limit ON window_limit.id = taken.limit_id
                    JOIN budgets ON budgets.id = taken.budget_id
                """)
            var due: [DueWebhook] = []
            for row in rows {
                let alert = try Self.alert(row)
                guard let url = alert.budget.webhookURL,
                    let secret = try identity.openWebhookSecret(
                        row, of: alert.budget.id, in: alert.budget.organization)
                else {
                    try await transaction.execute(
                        """
                        UPDATE budget_alerts SET next_attempt_at = NULL, given_up_at = \(now),
                            last_error = 'there is no webhook any more, or its secret does not open'
                        WHERE id = \(alert.id)
                        """)
                    continue
                }
                due.append(
                    DueWebhook(
                        alert: alert, url: url, secret: secret,
                        attempt: Int(try row.decode(Int32.self, "attempts"))))
            }
            return due
        }
    }

    func markDelivered(_ webhook: DueWebhook) async throws {
        let now = time.timestamp()
        try await system { transaction in
            _ = try await transaction.execute(
                """
                UPDATE budget_alerts SET next_attempt_at = NULL, delivered_at = \(now), last_error = NULL
                WHERE limit_id = \(webhook.alert.window.id) AND threshold = \(Int64(webhook.alert.threshold))
                """)
        }
    }

    /// - Parameter pause: until it is tried again; nil: it is given up.
    func markFailed(_ webhook: DueWebhook, reason: String, pause: Duration?) async throws {
        let now = time.timestamp()
        try await system { transaction in
            _ = try await transaction.execute(
                """
                UPDATE budget_alerts SET next_attempt_at = \(pause.map { now + $0 }), last_error = \(reason),
                    given_up_at = \(pause == nil ? now : nil)
                WHERE limit_id = \(webhook.alert.window.id) AND threshold = \(Int64(webhook.alert.threshold))
                    AND delivered_at IS NULL
                """)
        }
    }
}
