import Admission
import Base
import Postgres

/// What is granted of limits, compared with what gateways have.
struct LimitStore {
    let pool: PostgresPool

    init(_ pool: PostgresPool) { self.pool = pool }

    /// Limits of which something is granted, and which nobody has looked at for so long; by organization.
    func due(after pause: Duration, most: Int64) async throws -> [(organization: UUID, limits: [UUID])] {
        let before = Timestamp.now() + (.zero - pause)
        let rows = try await pool.transaction(readOnly: true) { transaction in
            _ = try await transaction.query("SELECT set_config('app.system', 'on', true)")
            return try await transaction.query(
                """
                SELECT org_id, id FROM money_limits
                WHERE granted_nano > 0 AND (reconciled_at IS NULL OR reconciled_at < \(before))
                ORDER BY reconciled_at NULLS FIRST LIMIT \(most)
                """
            ).decode((UUID, UUID).self)
        }
        return Dictionary(grouping: rows, by: \.0).map { ($0.key, $0.value.map(\.1)) }
    }

    /// A request that the database has paid for alone, and whose loop has died over it.
    struct Lost {
        var note: HoldNote
        var since: Timestamp
        /// In nano-dollars.
        var worst: Int64
    }

    /// Whether a grant's loop has died: neither Redis nor the database has heard of it lately. Each of them alone may have been
    /// away.
    ///
    /// - Parameter living: those of whom Redis has heard; nil: it cannot say yet.
    private static func isDead(
        _ patience: Recovery.Patience, _ living: [Int64]?, at now: Timestamp
    ) -> SQL {
        guard let living else { return "false" }
        let silence = now + (.zero - patience.holds)
        return """
            (worker <> ALL(\(living)) AND created_at < \(silence) AND NOT EXISTS (
                SELECT FROM money_workers AS seen WHERE seen.worker = money_grants.worker AND seen.seen_at > \(silence)))
            """
    }

    /// Those whose grants `reconcile` would give back.
    func lost(
        _ limits: [UUID], of organization: UUID, _ patience: Recovery.Patience, _ living: [Int64]?,
        at now: Timestamp
    ) async throws -> [Lost] {
        let isDead = Self.isDead(patience, living, at: now)
        let rows = try await pool.transaction(readOnly: true) { transaction in
            _ = try await transaction.query("SELECT set_config('app.system', 'on', true)")
            return try await transaction.query(
                """
                SELECT note, min(created_at), max(amount_nano) FROM money_grants
                WHERE org_id = \(organization) AND limit_id = ANY(\(limits)) AND closed_at IS NULL AND note IS NOT NULL
                    AND \(isDead)
                GROUP BY note
                """
            ).decode(([UInt8], Timestamp, Int64).self)
        }
        return rows.compactMap { bytes, since, worst in
            HoldNote(bytes).map { Lost(note: $0, since: since, worst: worst) }
        }
    }

    /// Sets what is granted to what gateways say that they can still spend, and says how much less that is in all. While the
    /// limits are locked nobody takes of them, and nothing that was spent of them is settled: what `ask` is told holds.
    func reconcile(
        _ limits: [UUID], of organization: UUID, _ patience: Recovery.Patience, _ living: [Int64]?,
        at now: Timestamp, _ ask: ([UUID]) async throws -> [Gatekeeper.Account]?
    ) async throws -> Int64 {
        let isDead = Self.isDead(patience, living, at: now)
        return try await pool.transaction { transaction in
            _ = try await transaction.query("SELECT set_config('app.system', 'on', true)")
            let locked = try await transaction.query(
                """
                SELECT id, granted_nano FROM money_limits WHERE org_id = \(organization) AND id = ANY(\(limits))
                ORDER BY id FOR UPDATE
                """
            ).decode((UUID, Int64).self)
            guard let accounts = try await ask(locked.map(\.0)) else { return 0 }
            // Those are in Redis by now, or never come there.
            try await transaction.execute(
                """
                UPDATE money_grants SET state = 'spent', closed_at = now()
                WHERE org_id = \(organization) AND limit_id = ANY(\(limits)) AND closed_at IS NULL
                    AND NOT is_direct AND created_at < \(now + (.zero - patience.grants))
                """)
            try await transaction.execute(
                """
                UPDATE money_grants SET state = 'returned', closed_at = now()
                WHERE org_id = \(organization) AND limit_id = ANY(\(limits)) AND closed_at IS NULL
                    AND (is_direct AND created_at < \(now + (.zero - patience.directGrants))
                        OR \(isDead))
                """)
            // Those that are on their way count, and those that one request has for itself.
            let open = Dictionary(
                try await transaction.query(
                    """
                    SELECT limit_id, sum(amount_nano)::bigint FROM money_grants
                    WHERE org_id = \(organization) AND limit_id = ANY(\(limits)) AND closed_at IS NULL
                    GROUP BY limit_id
                    """
                ).decode((UUID, Int64).self), uniquingKeysWith: { one, _ in one })
            var (ids, amounts, given): ([UUID], [Int64], Int64) = ([], [], 0)
            for ((id, granted), account) in zip(locked, accounts) where !account.isUncertain {
                let amount = min(
                    granted, max(0, account.left) + max(0, account.held) + account.paid + (open[id] ?? 0))
                ids.append(id)
                amounts.append(amount)
                given += granted - amount
            }
            try await transaction.execute(
                """
                UPDATE money_limits SET granted_nano = told.amount, reconciled_at = \(now)
                FROM unnest(\(ids), \(amounts)) AS told (id, amount) WHERE money_limits.id = told.id
                """)
            return given
        }
    }
}
