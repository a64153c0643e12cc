import Base
import Loop

/// Brings a database's schema to what the files say. Any number of processes may do so at once: one works,
/// the others wait for it and find nothing left to do.
package struct Migrator: Sendable {
    package var files: [MigrationFile]
    /// How long a statement waits for a lock before it lets others pass and tries again.
    package var lockTimeout = Duration.seconds(5)
    /// How often a file that could not get its locks is tried.
    package var lockAttempts = 5
    /// How long to wait for another process that migrates.
    package var turnTimeout = Duration.seconds(300)
    /// Told of everything that happens, for the log.
    package var report: @Sendable (Event) -> Void = { _ in }

    package enum Event: Sendable, Equatable {
        case waitingForAnotherProcess
        case waitingForLocks(fileName: String, attempt: Int)
        case applying(fileName: String)
        case applied(fileName: String, Duration)
    }

    /// The name "hivegate" as a number: the session lock that gives the turn.
    private static let turnKey: Int64 = 0x6869_7665_6761_7465
    /// How often the turn is asked for. Asking keeps no transaction open, as waiting inside the server would:
    /// CREATE INDEX CONCURRENTLY of the one who works waits for all open transactions.
    private static let turnPause = Duration.milliseconds(100)
    /// A single file may take this long.
    private static let longestFile = Duration.seconds(4 * 3600)

    package init(files: [MigrationFile]) { self.files = files }

    /// What `run` would do. Changes nothing.
    package func plan(on connection: PostgresConnection) async throws -> MigrationPlan {
        let applied = try await connection.transaction(readOnly: true) { transaction in
            let exists = try await transaction.query("SELECT to_regclass('hivegate_migrations') IS NOT NULL")
            guard try exists[0].decode(Bool.self) else { return [AppliedMigration]() }
            return try await transaction.query(
                "SELECT version, name, checksum, applied_at FROM hivegate_migrations ORDER BY version"
            ).decode { (row) throws(PostgresError) in
                let (version, name, checksum, appliedAt) = try row.decode(
                    (String, String, [UInt8], Timestamp).self)
                return AppliedMigration(
                    version: version, name: name, checksum: checksum, appliedAt: appliedAt)
            }
        }
        return try MigrationPlan(files: files, applied: applied)
    }

    /// Applies what is pending, in order; says what was applied. The connection is not to be used for
    /// anything else afterwards: its session has other timeouts.
    @discardableResult
    package func run(on connection: PostgresConnection) async throws -> [MigrationFile] {
        connection.discardAfterUse()
        try await connection.execute("SET statement_timeout = 0")
        try await connection.execute(
            "SET lock_timeout = \(unsafeSQL: String(lockTimeout.nanoseconds / 1_000_000))")
        try await takeTurn(on: connection)
        do {
            try await connection.runScript(Self.table)
            let pending = try await plan(on: connection).pending
            for file in pending { try await apply(file, on: connection) }
            try await connection.execute("SELECT pg_advisory_unlock(\(Self.turnKey))")
            return pending
        } catch {
            // The lock belongs to the session: its end gives the turn to the next.
            connection.close()
            throw error
        }
    }

    private static let table = """
        CREATE TABLE IF NOT EXISTS hivegate_migrations (
            version text PRIMARY KEY,
            name text NOT NULL,
            checksum bytea NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            duration interval NOT NULL
        )
        """

    private func takeTurn(on connection: PostgresConnection) async throws {
        let deadline = Instant.now() + turnTimeout
        var hasReported = false
        while true {
            let rows = try await connection.query("SELECT pg_try_advisory_lock(\(Self.turnKey))")
            if try rows[0].decode(Bool.self) { return }
            if !hasReported { report(.waitingForAnotherProcess) }
            hasReported = true
            guard Instant.now() < deadline else {
                throw PostgresError(
                    .migration,
                    "Another process has been migrating for more than \(turnTimeout); it holds the lock.")
            }
            try await connection.loop.sleep(for: Self.turnPause)
        }
    }

    private func apply(_ file: MigrationFile, on connection: PostgresConnection) async throws {
        report(.applying(fileName: file.fileName))
        let start = Instant.now()
        var attempt = 1
        while true {
            do {
                if file.runsInTransaction {
                    try await applyInTransaction(file, start, on: connection)
                } else {
                    try await applyByStatement(file, start, on: connection)
                }
                break
            } catch let error as PostgresError where error.kind == .lockNotAvailable && file.runsInTransaction
            {
                guard attempt < lockAttempts else { throw error }
                report(.waitingForLocks(fileName: file.fileName, attempt: attempt))
            }
            attempt += 1
            try await connection.loop.sleep(for: Self.turnPause)
        }
        report(.applied(fileName: file.fileName, Instant.now() - start))
    }

    private func applyInTransaction(
        _ file: MigrationFile, _ start: Instant, on connection: PostgresConnection
    ) async throws {
        try await connection.transaction { transaction in
            do throws(PostgresError) {
                try await connection.runScript(file.text, timeout: Self.longestFile)
            } catch {
                throw Self.naming(file, ScriptSplitter.Statement(text: file.text, line: 1), error)
            }
            guard connection.isInTransaction else {
                throw PostgresError(
                    .migration,
                    "The migration \(file.fileName) ends its own transaction. What it did is not recorded."
                )
            }
            try await transaction.execute(Self.record(file, start))
        }
    }

    /// Statement by statement: several at once would be a transaction again. A failure leaves what came
    /// before it.
    private func applyByStatement(
        _ file: MigrationFile, _ start: Instant, on connection: PostgresConnection
    ) async throws {
        for statement in ScriptSplitter.statements(of: file.text) {
            do throws(PostgresError) {
                try await connection.runScript(statement.text, timeout: Self.longestFile)
            } catch {
                throw Self.naming(file, statement, error)
            }
        }
        try await connection.execute(Self.record(file, start))
    }

    private static func record(_ file: MigrationFile, _ start: Instant) -> SQL {
        let seconds = Double((Instant.now() - start).nanoseconds) / 1e9
        return """
            INSERT INTO hivegate_migrations (version, name, checksum, duration)
            VALUES (\(file.version), \(file.name), \(file.checksum), make_interval(secs => \(seconds)))
            """
    }

    /// The same error, with the file and, where the server says where, the line.
    private static func naming(
        _ file: MigrationFile, _ statement: ScriptSplitter.Statement, _ error: PostgresError
    ) -> PostgresError {
        var named = error
        var place = file.fileName
        if let position = error.details.position {
            let before = statement.text.unicodeScalars.prefix(max(0, position - 1))
            place += ", line \(statement.line + before.count { $0 == "\n" })"
        }
        named.details.message = "The migration \(place): \(error.details.message)"
        return named
    }
}
