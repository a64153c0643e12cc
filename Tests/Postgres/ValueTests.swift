import Base
import Loop
import Postgres
import TestKit
import Testing

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

struct ValueTests {
    @Test func `a query gives its row`() async throws {
        try await withDatabase { connection in
            let rows = try await connection.query("SELECT \(1) AS number, \("text") AS text")
            #expect(rows.count == 1)
            let (number, text) = try rows[0].decode((Int, String).self)
            #expect(number == 1)
            #expect(text == "text")
        }
    }
}
