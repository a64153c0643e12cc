import Base
import Loop
import Postgres
import TestKit

/// Runs `body` with a connection to a database of its own.
func withDatabase<Result: Sendable>(
    _ change: @Sendable @escaping (inout PostgresConfiguration) -> Void = { _ in },
    _ body: @Sendable @escaping (PostgresConnection) async throws -> Result
) async throws -> Result {
    let url = PrivatePostgres.shared.freshDatabase()
    return try await onLoop { loop in
        var configuration = try PostgresConfiguration(url: url)
        change(&configuration)
        let connection = try await PostgresConnection.connect(configuration, on: loop)
        defer { connection.close() }
        return try await body(connection)
    }
}

/// Runs `body` with a pool on a database of its own.
func withPool<Result: Sendable>(
    _ server: PrivatePostgres = .shared,
    _ change: @Sendable @escaping (inout PostgresConfiguration, inout PoolLimits) -> Void = { _, _ in },
    _ body: @Sendable @escaping (PostgresPool) async throws -> Result
) async throws -> Result {
    let url = server.freshDatabase()
    return try await onLoop { loop in
        var configuration = try PostgresConfiguration(url: url)
        var limits = PoolLimits()
        change(&configuration, &limits)
        let pool = PostgresPool(configuration, limits: limits, on: loop)
        do {
            let result = try await body(pool)
            await pool.close(until: .now() + .seconds(5))
            return result
        } catch {
            await pool.close(until: .now() + .seconds(5))
            throw error
        }
    }
}

/// The error `body` throws, if it is one of Postgres.
func postgresError<Value>(_ body: () async throws -> Value) async -> PostgresError? {
    do {
        _ = try await body()
        return nil
    } catch {
        return error as? PostgresError
    }
}

/// Asks `condition` until it holds; fails when it should have long since.
func eventually(on loop: EventLoop, _ condition: () async throws -> Bool) async throws {
    let deadline = Instant.now() + .seconds(30)
    while Instant.now() < deadline {
        if try await condition() { return }
        try await loop.sleep(for: .milliseconds(5))
    }
    throw NeverHappened()
}

struct NeverHappened: Error {}
