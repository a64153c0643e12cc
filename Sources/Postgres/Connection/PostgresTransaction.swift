/// What runs between BEGIN and COMMIT. Valid inside the closure that received it, for one task at a time.
// Confined to its loop.
package final class PostgresTransaction: @unchecked Sendable {
    let connection: PostgresConnection
    private var depth = 0
    private var isOver = false
    /// The first failure after which the whole transaction is worth another run.
    private(set) var retryableFailure: PostgresError?
    private(set) var firstFailure: PostgresError?
    /// A statement was left in the middle: nobody knows its state, so the transaction must not commit.
    private(set) var isDoomed = false

    init(_ connection: PostgresConnection) { self.connection = connection }

    /// What a transaction may see of others.
    package enum Isolation: String, Sendable {
        case readCommitted = "READ COMMITTED"
        case repeatableRead = "REPEATABLE READ"
        case serializable = "SERIALIZABLE"
    }

    package func query(_ sql: SQL, timeout: Duration? = nil) async throws(PostgresError) -> PostgresRows {
        try await noting { () throws(PostgresError) in try await connection.query(sql, timeout: timeout) }
    }

    package func query<Statement: PostgresStatement>(
        _ statement: Statement, timeout: Duration? = nil
    ) async throws(PostgresError) -> [Statement.Row] {
        try await query(statement.sql, timeout: timeout).decode(Statement.decode)
    }

    /// Runs one statement and says how many rows it touched.
    @discardableResult
    package func execute(_ sql: SQL, timeout: Duration? = nil) async throws(PostgresError) -> Int {
        try await query(sql, timeout: timeout).affectedRows
    }

    /// Runs statements in one round trip; the first that fails ends the transaction.
    @discardableResult
    package func pipeline(_ statements: [SQL], timeout: Duration? = nil) async throws(PostgresError)
        -> [PostgresRows]
    {
        try await noting { () throws(PostgresError) in
            try await connection.atomically(statements, timeout: timeout)
        }
    }

    /// Copies rows into a table; see `PostgresConnection.copy`.
    @discardableResult
    package func copy(
        into table: String, columns: [String], timeout: Duration? = nil,
        _ body: (PostgresCopyWriter) async throws -> Void
    ) async throws -> Int {
        try await notingCopy {
            try await connection.copy(into: table, columns: columns, timeout: timeout, body)
        }
    }

    /// The same of lines in Postgres's text form; see `PostgresConnection.copyText`.
    @discardableResult
    package func copyText(
        into table: String, columns: [String], timeout: Duration? = nil,
        _ body: (PostgresTextCopyWriter) async throws -> Void
    ) async throws -> Int {
        try await notingCopy {
            try await connection.copyText(into: table, columns: columns, timeout: timeout, body)
        }
    }

    private func notingCopy(_ copy: () async throws -> Int) async throws -> Int {
        do {
            return try await copy()
        } catch {
            if let error = error as? PostgresError { note(error) }
            throw error
        }
    }

    /// Runs `body` inside a savepoint: when it throws, only what it did is undone.
    @discardableResult
    package func nested<Value>(_ body: (PostgresTransaction) async throws -> Value) async throws -> Value {
        depth += 1
        defer { depth -= 1 }
        let name: SQL = "nested_\(unsafeSQL: String(depth))"
        try await execute(.control("SAVEPOINT \(name)"))
        let value: Value
        do {
            value = try await body(self)
        } catch {
            // Where a statement was left in the middle, the whole transaction is rolled back anyway.
            if !isDoomed {
                try await pipeline([
                    .control("ROLLBACK TO SAVEPOINT \(name)"), .control("RELEASE SAVEPOINT \(name)"),
                ])
            }
            throw error
        }
        try await execute(.control("RELEASE SAVEPOINT \(name)"))
        return value
    }

    func end() { isOver = true }

    private func noting<Value>(
        _ body: () async throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        guard !isOver else { throw PostgresError(.protocolViolation, "a transaction was used after its end") }
        do throws(PostgresError) {
            return try await body()
        } catch {
            note(error)
            throw error
        }
    }

    private func note(_ error: PostgresError) {
        firstFailure = firstFailure ?? error
        if error.isRetryable { retryableFailure = retryableFailure ?? error }
        if error.mayHaveExecuted || error.kind == .cancelled || error.kind == .deadlineExceeded {
            isDoomed = true
        }
    }
}
