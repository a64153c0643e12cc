import Base
import Glibc
import Loop
import Postgres
import TestKit
import Testing

/// The server of these tests is theirs alone: it is killed.
struct OutageTests {
    @Test func `a server that is killed under load and comes back is used again, and no query hangs`()
        async throws
    {
        let server = PrivatePostgres()
        defer { server.remove() }
        try await withPool(server) {
            $1.maximum = 4
        } _: { pool in
            try await pool.execute("CREATE TABLE hits (id bigint)")
            let isOver = Locked(false)
            let answered = Locked(0)
            let failures = Locked<[PostgresError]>([])
            let load = Task(executorPreference: pool.loop) {
                await withTaskGroup(of: Void.self) { group in
                    for _ in 0..<12 {
                        group.addTask(executorPreference: pool.loop) {
                            while !isOver.withLock({ $0 }) {
                                let error = await postgresError {
                                    try await pool.transaction {
                                        try await $0.execute("INSERT INTO hits VALUES (\(1))")
                                    }
                                }
                                if let error {
                                    failures.withLock { $0.append(error) }
                                } else {
                                    answered.withLock { $0 += 1 }
                                }
                                try? await pool.loop.sleep(for: .milliseconds(2))
                            }
                        }
                    }
                }
            }
            for _ in 0..<2 {
                let before = answered.withLock { $0 }
                try await eventually(on: pool.loop) { answered.withLock { $0 } > before + 50 }
                await offLoop { server.kill() }
                try await eventually(on: pool.loop) { !pool.health.isUp }
                await offLoop { server.start() }
                let back = Instant.now()
                let served = answered.withLock { $0 }
                try await eventually(on: pool.loop) { answered.withLock { $0 } > served }
                // The promise is 2 s; ten leave room for a machine that does other things.
                #expect(Instant.now() - back < .seconds(10))
            }
            isOver.withLock { $0 = true }
            await load.value
            let kinds = Set(failures.withLock { $0.map(\.kind) })
            #expect(
                kinds.isSubset(of: [.connectionLost, .unavailable, .adminShutdown, .commitOutcomeUnknown]),
                "\(kinds)")
            #expect(kinds.contains(.unavailable), "those who came during the outage were told so")
            // Every success is there; what is there beyond that was left open by a lost connection.
            let rows = try await pool.query("SELECT count(*) FROM hits")[0].decode(Int.self)
            let open = failures.withLock { $0.count { $0.mayHaveExecuted } }
            #expect(rows >= answered.withLock { $0 })
            #expect(rows <= answered.withLock { $0 } + open)
        }
    }

    @Test
    func
        `a statement whose server is killed says that it may have run, one never sent that it has not`()
        async throws
    {
        let server = PrivatePostgres()
        defer { server.remove() }
        let url = server.freshDatabase()
        try await onLoop { loop in
            let connection = try await PostgresConnection.connect(PostgresConfiguration(url: url), on: loop)
            var reason: PostgresError?
            connection.onLoss = { reason = $0 }
            let running = Task(executorPreference: loop) {
                await postgresError { try await connection.query("SELECT pg_sleep(\(600.0))") }
            }
            try await loop.sleep(for: .milliseconds(50))
            await offLoop { server.kill() }
            let error = await running.value
            #expect(error?.kind == .connectionLost)
            #expect(error?.mayHaveExecuted == true)
            #expect(reason != nil)
            let next = await postgresError { try await connection.query("SELECT 1") }
            #expect(next?.mayHaveExecuted == false)
            #expect(!connection.isOpen)
        }
    }

    @Test func `a server that hangs is given up at the deadline and its connection replaced`() async throws {
        let server = PrivatePostgres()
        defer { server.remove() }
        try await withPool(server) { configuration, limits in
            configuration.queryTimeout = .milliseconds(200)
            limits.maximum = 1
        } _: { pool in
            let process = try await pool.withConnection { $0.processIdentifier }
            kill(process, SIGSTOP)
            let error = await postgresError { try await pool.query("SELECT 1") }
            #expect(error?.kind == .deadlineExceeded)
            // A cancellation does not move a stopped process: after a bound the connection is given up.
            try await eventually(on: pool.loop) { pool.health.open == 0 }
            let rows = try await pool.query("SELECT 1")
            #expect(rows.count == 1)
            kill(process, SIGCONT)
        }
    }
}

/// Runs what blocks on a thread of its own, so that the loop goes on.
private func offLoop(_ work: @escaping @Sendable () -> Void) async {
    await Task.detached(executorPreference: globalConcurrentExecutor) { work() }.value
}
