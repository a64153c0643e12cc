import Base
import Loop

extension PostgresConnection {
    /// Runs one statement. `timeout` replaces the configuration's `queryTimeout`.
    package func query(_ sql: SQL, timeout: Duration? = nil) async throws(PostgresError) -> PostgresRows {
        do throws(PostgresError) {
            return try await queryOnce(sql, timeout: timeout)
        } catch {
            // Nothing ran, and outside a transaction nothing else is lost: prepare it anew.
            guard error.kind == .staleStatement, !isInTransaction else { throw error }
        }
        return try await queryOnce(sql, timeout: timeout)
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

    /// Runs statements that do not depend on each other in one round trip. Each commits, or fails, by itself.
    package func pipeline(
        _ statements: [SQL], timeout: Duration? = nil
    ) async throws(PostgresError) -> [Result<PostgresRows, PostgresError>] {
        let deadline = loop.now + (timeout ?? configuration.queryTimeout)
        var exchanges: [Exchange] = []
        for statement in statements { exchanges.append(try enqueue(.statements([statement]))) }
        for (index, exchange) in exchanges.enumerated() {
            do throws(PostgresError) {
                try await wait(for: exchange, until: deadline)
            } catch {
                // The last first: only when nobody waits for any of them is the running one cancelled.
                for other in exchanges[index...].reversed() where !other.isDone {
                    _ = abandon(other, because: WaitFailure.cancelled)
                }
                throw error
            }
        }
        return exchanges.map { exchange in
            do throws(PostgresError) {
                return .success(try Self.onlyResult(of: exchange))
            } catch {
                return .failure(error)
            }
        }
    }

    /// Runs statements in one round trip, all or nothing: outside a transaction they are one.
    package func atomically(
        _ statements: [SQL], timeout: Duration? = nil
    ) async throws(PostgresError) -> [PostgresRows] {
        if statements.isEmpty { return [] }
        let exchange = try await run(.statements(statements), timeout: timeout)
        if let failure = exchange.failure { throw failure }
        return exchange.results
    }

    /// Runs text that may hold several statements, unprepared and without parameters. For migrations.
    package func runScript(_ text: String, timeout: Duration? = nil) async throws(PostgresError) {
        let exchange = try await run(.script(text), timeout: timeout)
        if let failure = exchange.failure { throw failure }
    }

    private func queryOnce(_ sql: SQL, timeout: Duration?) async throws(PostgresError) -> PostgresRows {
        let exchange = try await run(.statements([sql]), timeout: timeout)
        return try Self.onlyResult(of: exchange)
    }

    private static func onlyResult(of exchange: Exchange) throws(PostgresError) -> PostgresRows {
        if let failure = exchange.failure { throw failure }
        guard let rows = exchange.results.first else {
            throw PostgresError(
                .protocolViolation, "an answer without a result", statement: exchange.text(of: 0))
        }
        return rows
    }
}
