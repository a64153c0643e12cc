package import Base
package import Identity
import Postgres

/// What time does to subscriptions: periods that end, invoices, reminders, graces, ends.
package struct BillingScheduler: Sendable {
    private let store: BillingStore
    private let announce: @Sendable (KeyChange) async -> Void

    /// - Parameter announce: tells all processes of a change, once it holds.
    package init(_ store: BillingStore, announce: @escaping @Sendable (KeyChange) async -> Void) {
        self.store = store
        self.announce = announce
    }

    /// What a run has done.
    package struct Report: Sendable {
        /// Whether another process was at it, so that nothing was done here.
        package var isBusyElsewhere = false
        package var subscriptions = 0
        package var steps = 0
        /// Of subscriptions with which something is wrong; they are tried again the next time.
        package var failures: [(subscription: UUID, error: any Error)] = []
    }

    /// Subscriptions that are looked for at a time.
    private static let batch = 100
    /// Quotes and answers are kept for so long.
    package static let memory = Duration.seconds(24 * 3600)

    /// Does all that is due. Of several processes that do so at the same time one works.
    package func run() async throws -> Report {
        try await store.pool.withConnection { connection in
            let isAlone = try await connection.query(
                "SELECT pg_try_advisory_lock(hashtext('hivegate billing'))")[0].decode(Bool.self)
            guard isAlone else { return Report(isBusyElsewhere: true) }
            do {
                let report = try await runAlone()
                _ = try await connection.query("SELECT pg_advisory_unlock(hashtext('hivegate billing'))")
                return report
            } catch {
                // With the connection its lock goes.
                connection.discardAfterUse()
                throw error
            }
        }
    }

    private func runAlone() async throws -> Report {
        var report = Report()
        var last: (at: Timestamp, id: UUID)?
        let now = store.time.timestamp()
        while true {
            let due = try await store.due(at: now, after: last, limit: Self.batch)
            for (at, id) in due {
                last = (at, id)
                do {
                    let (steps, change) = try await store.elapse(id)
                    if let change { await announce(change) }
                    report.subscriptions += steps > 0 ? 1 : 0
                    report.steps += steps
                } catch {
                    try Task.checkCancellation()
                    report.failures.append((id, error))
                }
            }
            if due.count < Self.batch { break }
        }
        try await store.forget(before: now + (.zero - Self.memory))
        return report
    }
}

extension BillingStore {
    /// Subscriptions that time has something to do to, in the order in which it has.
    func due(
        at now: Timestamp, after last: (at: Timestamp, id: UUID)?, limit: Int
    ) async throws -> [(Timestamp, UUID)] {
        try await system(readOnly: true) { transaction in
            try await transaction.query(
                """
                SELECT next_step_at, id FROM subscriptions
                WHERE next_step_at <= \(now)
                    AND (\(last == nil) OR (next_step_at, id) > (\(last?.at), \(last?.id)))
                ORDER BY next_step_at, id LIMIT \(limit)
                """
            ).decode((Timestamp, UUID).self)
        }
    }

    func elapse(_ id: UUID) async throws -> (steps: Int, change: KeyChange?) {
        let now = time.timestamp()
        return try await system { transaction in
            let stored = try await Self.claim(id, transaction)
            var turn = SubscriptionTurn(self, stored.subscription, by: .system, at: now, transaction)
            // Whoever is gone is not invoiced any further.
            let isGone = try await transaction.query(
                "SELECT deleted_at IS NOT NULL FROM organizations WHERE id = \(stored.subscription.organization)"
            )[0]
            .decode(Bool.self)
            if isGone, !stored.subscription.status.isEnd { try await turn.apply(.cancelNow) }
            let steps = try await turn.elapse() + (isGone ? 1 : 0)
            try await turn.save("subscription.elapsed", before: stored.subscription)
            return (steps, turn.keyChange)
        }
    }

    func forget(before past: Timestamp) async throws {
        try await system { transaction in
            _ = try await transaction.pipeline([
                "DELETE FROM subscription_quotes WHERE moment < \(past)",
                "DELETE FROM idempotency_keys WHERE begun_at < \(past)",
            ])
        }
    }
}
