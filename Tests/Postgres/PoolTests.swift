import Base
import Loop
import Postgres
import TestKit
import Testing

struct PoolTests {
    @Test func `when all connections are in use, those who wait are served in their order`() async throws {
        try await withPool {
            $1.maximum = 1
        } _: { pool in
            let order = Locked<[Int]>([])
            let mayEnd = Locked(false)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask(executorPreference: pool.loop) {
                    try await pool.withConnection { _ in
                        try await eventually(on: pool.loop) { mayEnd.withLock { $0 } }
                    }
                }
                try await eventually(on: pool.loop) { pool.health.leased == 1 }
                for number in 0..<5 {
                    group.addTask(executorPreference: pool.loop) {
                        try await pool.withConnection { connection in
                            order.withLock { $0.append(number) }
                            try await connection.execute("SELECT 1")
                        }
                    }
                    try await eventually(on: pool.loop) { pool.health.waiting == number + 1 }
                }
                mayEnd.withLock { $0 = true }
                try await group.waitForAll()
            }
            #expect(order.withLock { $0 } == [0, 1, 2, 3, 4])
            #expect(pool.health.open == 1)
        }
    }

    @Test func `who waits too long, or finds too many waiting, is told that the pool is exhausted`()
        async throws
    {
        try await withPool { configuration, limits in
            limits.maximum = 1
            limits.maximumWaiting = 1
            limits.waitTimeout = .milliseconds(50)
        } _: { pool in
            try await pool.withConnection { _ in
                let waiting = Task(executorPreference: pool.loop) {
                    await postgresError { try await pool.query("SELECT 1") }
                }
                try await eventually(on: pool.loop) { pool.health.waiting == 1 }
                let refused = await postgresError { try await pool.query("SELECT 1") }
                #expect(refused?.kind == .poolExhausted)
                #expect(await waiting.value?.kind == .poolExhausted)
            }
            #expect(pool.health.refusals == 2)
            let rows = try await pool.query("SELECT 1")
            #expect(rows.count == 1)
        }
    }

    @Test func `a task that is cancelled while it waits leaves the queue`() async throws {
        try await withPool {
            $1.maximum = 1
        } _: { pool in
            try await pool.withConnection { connection in
                let waiting = Task(executorPreference: pool.loop) {
                    await postgresError { try await pool.query("SELECT 1") }
                }
                try await eventually(on: pool.loop) { pool.health.waiting == 1 }
                waiting.cancel()
                #expect(await waiting.value?.kind == .cancelled)
                #expect(pool.health.waiting == 0)
            }
            let rows = try await pool.query("SELECT 1")
            #expect(rows.count == 1)
        }
    }

    @Test func `an idle connection that the server ends is noticed and replaced before anybody meets it`()
        async throws
    {
        try await withPool {
            $1.minimum = 2
        } _: { pool in
            try await eventually(on: pool.loop) { pool.health.idle == 2 }
            try await pool.withConnection { _ in
                try await pool.execute(
                    """
                    SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
                    WHERE datname = current_database() AND pid <> pg_backend_pid()
                    """)
            }
            // The sessions have ended; what is left is to notice it.
            try await pool.loop.sleep(for: .milliseconds(50))
            try await eventually(on: pool.loop) { pool.health.idle == 2 && pool.health.opening == 0 }
            for _ in 0..<10 {
                let rows = try await pool.query("SELECT 1")
                #expect(rows.count == 1)
            }
        }
    }

    @Test func `a session that was changed is not passed on`() async throws {
        try await withPool {
            $1.maximum = 1
        } _: { pool in
            let first = try await pool.withConnection { connection in
                connection.discardAfterUse()
                try await connection.execute("SET work_mem = '1MB'")
                return connection.processIdentifier
            }
            let second = try await pool.withConnection { $0.processIdentifier }
            #expect(first != second)
        }
    }

    @Test func `a closed pool ends its sessions when they come back`() async throws {
        try await withPool { pool in
            let user = Task(executorPreference: pool.loop) {
                try await pool.withConnection {
                    try await $0.query("SELECT pg_sleep(\(0.2)), 7::bigint AS n")[0].decode(Int.self, "n")
                }
            }
            try await eventually(on: pool.loop) { pool.health.leased == 1 }
            await pool.close(until: .now() + .seconds(20))
            let number = try await user.value
            #expect(number == 7)
            let error = await postgresError { try await pool.query("SELECT 1") }
            #expect(error?.kind == .poolClosed)
            #expect(pool.health.open == 0)
        }
    }

    @Test func `a database that is not there is reported at once, and said to be not there`() async throws {
        try await onLoop { loop in
            let configuration = PostgresConfiguration(host: "/nonexistent", database: "none", user: "nobody")
            let pool = PostgresPool(configuration, on: loop)
            for _ in 0..<3 {
                let error = await postgresError { try await pool.query("SELECT 1") }
                #expect(error?.kind == .unavailable)
            }
            #expect(!pool.health.isUp)
            await pool.close(until: .now())
        }
    }

    @Test func `a wrong database, role or host name is told apart from a database that is down`() async throws
    {
        let server = PrivatePostgres.shared
        try await onLoop { loop in
            func failure(_ change: (inout PostgresConfiguration) -> Void) async throws -> PostgresError? {
                var configuration = try PostgresConfiguration(url: server.url())
                change(&configuration)
                return await postgresError {
                    try await PostgresConnection.connect(configuration, on: loop).close()
                }
            }
            let database = try await failure { $0.database = "nothing" }
            #expect(database?.kind == .invalidConfiguration)
            #expect(database?.sqlState == "3D000")
            let role = try await failure { $0.role = "nothing" }
            #expect(role?.kind == .invalidConfiguration)
            let user = try await failure { $0.user = "nothing" }
            #expect(user?.kind == .authenticationFailed)
            let host = try await failure { $0.host = "no-such-host.invalid" }
            #expect(host?.kind == .unavailable)
            #expect(host?.details.message.contains("no-such-host.invalid") == true)
            let refused = try await failure {
                $0.host = "localhost"
                $0.port = 1
            }
            #expect(refused?.kind == .unavailable)
        }
    }
}
