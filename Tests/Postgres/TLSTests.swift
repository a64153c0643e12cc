import Base
import Loop
import Postgres
import TestKit
import Testing

struct TLSTests {
    @Test func `over TLS and TCP, by host name and password, everything works and the name is verified`()
        async throws
    {
        let server = PrivatePostgres(tls: true)
        defer { server.remove() }
        let port = try #require(server.tlsPort)
        let local = try PostgresConfiguration(url: server.url())
        let certificate = server.certificate
        func url(_ host: String, password: String = "p%40ss") -> String {
            "postgres://ada:\(password)@\(host):\(port)/postgres?sslmode=verify-full&sslrootcert=\(certificate)"
        }
        let right = try PostgresConfiguration(url: url("localhost"))
        let wrongName = try PostgresConfiguration(url: url("127.0.0.1"))
        let wrongPassword = try PostgresConfiguration(url: url("localhost", password: "other"))
        let noPassword = try PostgresConfiguration(url: url("localhost", password: ""))
        try await onLoop { loop in
            let superuser = try await PostgresConnection.connect(local, on: loop)
            defer { superuser.close() }
            try await superuser.runScript("CREATE ROLE ada LOGIN PASSWORD 'p@ss'")

            let connection = try await PostgresConnection.connect(right, on: loop)
            defer { connection.close() }
            let encrypted = try await connection.query(
                "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
            #expect(try encrypted[0].decode(Bool.self))
            let large = String(repeating: "ä", count: 2_000_000)
            let rows = try await connection.query("SELECT \(large) || 'x'")
            #expect(try rows[0].decode(String.self) == large + "x")

            let task = Task(executorPreference: loop) {
                await postgresError { try await connection.query("SELECT pg_sleep(\(600.0))") }
            }
            try await loop.sleep(for: .milliseconds(50))
            task.cancel()
            #expect(await task.value?.kind == .cancelled)
            let after = try await connection.query("SELECT 1")
            #expect(after.count == 1)

            let name = await postgresError {
                try await PostgresConnection.connect(wrongName, on: loop).close()
            }
            #expect(name?.kind == .unavailable)
            #expect(name?.details.message.contains("127.0.0.1") == true)
            for configuration in [wrongPassword, noPassword] {
                let error = await postgresError {
                    try await PostgresConnection.connect(configuration, on: loop).close()
                }
                #expect(error?.kind == .authenticationFailed)
            }
        }
    }
}
