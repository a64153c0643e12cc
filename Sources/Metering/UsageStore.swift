package import Base
import Loop
package import Postgres

/// Usage in the database: what came in, what it adds up to, and the transfers that pay for it.
package struct UsageStore: Sendable {
    private let pool: PostgresPool

    package init(_ pool: PostgresPool) { self.pool = pool }

    var loop: EventLoop { pool.loop }

    /// Puts calls into the books, all or none of them. What is there already changes nothing. Says how many lines were new.
    @discardableResult
    package func store(_ entries: [JournalEntry]) async throws -> Int {
        if entries.isEmpty { return 0 }
        return try await pool.transaction { transaction in
            try await transaction.pipeline([
                // To compile what runs for a tenth of a second takes longer than to run it.
                "SELECT set_config('app.system', 'on', true), set_config('jit', 'off', true)",
                UsageStatements.makeArrivals,
            ])
            try await transaction.copyText(into: UsageColumns.table, columns: UsageColumns.names) { writer in
                for entry in entries { try await writer.write(lines: entry.rows) }
            }
            // Whoever reconciles a limit takes it before the calls that it paid for, too.
            let results = try await transaction.pipeline([
                UsageStatements.lockLimits, UsageStatements.book(batch: .make()),
            ])
            return Int(try results[1].decode(Int64.self).first ?? 0)
        }
    }

    /// The same, but what the database refuses is put aside, so that all else gets there.
    @discardableResult
    func storeOrPutAside(
        _ entries: [JournalEntry], counters: MeteringCounters, logger: Logger
    ) async throws -> Int {
        do {
            return try await store(entries)
        } catch let error as PostgresError where !error.isOutage && !error.isRetryable {
            guard entries.count > 1 else {
                logger.error(
                    "usage that PostgreSQL does not take was put aside", ("call", "\(entries[0].id)"),
                    ("reason", "\(error.debugDescription)"))
                counters.rejected()
                try await putAside(entries[0], because: error.details.message)
                return 0
            }
            let middle = entries.count / 2
            let first = try await storeOrPutAside(
                Array(entries[..<middle]), counters: counters, logger: logger)
            return try await first
                + storeOrPutAside(Array(entries[middle...]), counters: counters, logger: logger)
        }
    }

    private func putAside(_ entry: JournalEntry, because reason: String) async throws {
        try await pool.transaction { transaction in
            _ = try await transaction.query("SELECT set_config('app.system', 'on', true)")
            try await transaction.execute(
                """
                INSERT INTO usage_rejects (id, org_id, entry, reason)
                VALUES (\(entry.id), \(entry.organization), \(entry.bytes), \(reason))
                ON CONFLICT (id) DO NOTHING
                """)
        }
    }

    /// What the limits of a call have paid; nil where the books do not have it.
    func charges(of call: UUID) async throws -> [UsageEvent.Charge]? {
        try await pool.transaction(readOnly: true) { transaction in
            _ = try await transaction.query("SELECT set_config('app.system', 'on', true)")
            let rows = try await transaction.query(
                "SELECT limit_ids, limit_nanos FROM usage_events WHERE id = \(call)"
            ).decode(([UUID], [Int64]).self)
            if rows.isEmpty { return nil }
            return rows.flatMap { zip($0, $1).map { UsageEvent.Charge(limit: $0, nanodollars: $1) } }
        }
    }

    /// Drops the events of months that ended at least so many months before this one; says how many are gone. What they add up
    /// to, and the ledger, stay.
    package func dropPartitions(at now: Timestamp, keepingMonths months: Int) async throws -> Int {
        Int(
            try await pool.query("SELECT drop_usage_partitions(\(now), \(Int32(months)))").decode(Int32.self)
                .first ?? 0)
    }

    /// Makes the months ahead; says how many are new.
    package func makePartitions(at now: Timestamp, monthsAhead: Int = 3) async throws -> Int {
        Int(
            try await pool.query("SELECT make_usage_partitions(\(now), \(Int32(monthsAhead)))").decode(
                Int32.self
            ).first ?? 0)
    }
}
