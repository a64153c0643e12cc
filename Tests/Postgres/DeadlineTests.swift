import Base
import Loop
import Postgres
import Testing

struct DeadlineTests {
    /// How many sessions of this database run a sleep.
    private func sleepers(_ connection: PostgresConnection) async throws -> Int {
        try await connection.query(
            """
            SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND state = 'active' AND query LIKE '%pg_sleep%'
              AND pid <> pg_backend_pid()
            """)[0].decode(Int.self)
    }

    @Test func `a cancelled task returns at once and the server stops working for it`() async throws {
        try await withDatabase { watcher in
            let connection = try await PostgresConnection.connect(watcher.configuration, on: watcher.loop)
            defer { connection.close() }
            let task = Task(executorPreference: watcher.loop) {
                await postgresError { try await connection.query("SELECT pg_sleep(\(600.0))") }
            }
            try await eventually(on: watcher.loop) { try await sleepers(watcher) == 1 }
            task.cancel()
            let error = await task.value
            #expect(error?.kind == .cancelled)
            #expect(error?.mayHaveExecuted == true)
            try await eventually(on: watcher.loop) { try await sleepers(watcher) == 0 }
            #expect(try await connection.query("SELECT 1").count == 1, "the connection serves on")
        }
    }

    @Test func `a statement that outlives its deadline is given up here and ended there`() async throws {
        try await withDatabase { watcher in
            let connection = try await PostgresConnection.connect(watcher.configuration, on: watcher.loop)
            defer { connection.close() }
            let error = await postgresError {
                try await connection.query("SELECT pg_sleep(\(600.0))", timeout: .milliseconds(50))
            }
            #expect(error?.kind == .deadlineExceeded)
            try await eventually(on: watcher.loop) { try await sleepers(watcher) == 0 }
        }
    }

    @Test func `the server's own limits on statements and locks are told apart`() async throws {
        try await withDatabase {
            $0.statementTimeout = .milliseconds(300)
            $0.lockTimeout = .milliseconds(50)
            $0.idleInTransactionTimeout = .milliseconds(100)
        } _: { connection in
            try await connection.runScript("CREATE TABLE things ()")
            let slow = await postgresError { try await connection.query("SELECT pg_sleep(\(600.0))") }
            #expect(slow?.kind == .queryCanceled)
            #expect(slow?.mayHaveExecuted == false)

            let other = try await PostgresConnection.connect(connection.configuration, on: connection.loop)
            defer { other.close() }
            let idle = await postgresError {
                try await connection.transaction { transaction in
                    try await transaction.execute("LOCK TABLE things")
                    let locked = await postgresError { try await other.query("SELECT * FROM things") }
                    #expect(locked?.kind == .lockNotAvailable)
                    // Held open and unused beyond its limit, the session is ended by the server.
                    try await eventually(on: connection.loop) { !connection.isOpen }
                    try await transaction.execute("SELECT 1")
                }
            }
            #expect(idle?.kind == .idleInTransactionTimeout)
            #expect(
                try await other.query("SELECT * FROM things").isEmpty, "the lock is gone with the session")
        }
    }
}
