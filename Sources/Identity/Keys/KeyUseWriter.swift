package import Base
import Loop
package import Postgres

/// Tells the database when keys were last used: all of a process's in one statement every few seconds.
// Confined to its loop.
package final class KeyUseWriter: @unchecked Sendable {
    private static let interval = Duration.seconds(10)
    /// Keys in one statement.
    private static let batch = 1000

    private let uses: KeyUses
    private let pool: PostgresPool
    private let logger: Logger
    private var timer: TimerToken?
    private var isWriting = false

    /// Starts at once. Call it on the loop; `close` it in the end.
    package init(_ shared: SharedKeys, _ pool: PostgresPool, logger: Logger) {
        uses = shared.uses
        self.pool = pool
        self.logger = logger
        wait()
    }

    package func close() async {
        if let timer { pool.loop.cancel(timer) }
        timer = nil
        await write()
    }

    private func wait() {
        timer = pool.loop.schedule(at: .now() + Self.interval) { [weak self] in
            guard let self else { return }
            wait()
            // One that takes longer than that is not joined by a second.
            guard !isWriting else { return }
            isWriting = true
            pool.loop.spawn { [self] in
                await write()
                isWriting = false
            }
        }
    }

    /// Writes all that is noted. What the database does not take is kept for later.
    package func write() async {
        let noted = uses.take().map { (key: $0.key, time: $0.value) }.sorted { $0.key < $1.key }
        for start in stride(from: 0, to: noted.count, by: Self.batch) {
            do {
                try await write(noted[start..<min(start + Self.batch, noted.count)])
            } catch {
                logger.debug("the last use of keys could not be noted", ("reason", "\(error)"))
                return uses.putBack(noted[start...])
            }
        }
    }

    /// A row that somebody else has locked is left out: another process notes the same use, or the key is being
    /// changed, and whoever revokes a key must not wait for this.
    private func write(_ uses: ArraySlice<(key: UUID, time: Timestamp)>) async throws {
        try await pool.transaction(in: .system) { transaction in
            _ = try await transaction.execute(
                """
                UPDATE api_keys SET last_used_at = used.at
                FROM (
                    SELECT id, at
                    FROM unnest(\(uses.map(\.key)), \(uses.map(\.time.microseconds))) AS noted (key, microseconds)
                    CROSS JOIN LATERAL (SELECT timestamptz 'epoch' + microseconds * interval '1 microsecond' AS at) AS t
                    JOIN api_keys ON id = key AND (last_used_at IS NULL OR last_used_at < at)
                    ORDER BY id FOR NO KEY UPDATE OF api_keys SKIP LOCKED
                ) AS used
                WHERE api_keys.id = used.id
                """)
        }
    }
}
