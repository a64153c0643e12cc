import Base
import Loop
import Postgres
import Testing

struct PipelineTests {
    @Test func `answers come in the order of the questions, and an error touches only its own`() async throws
    {
        try await withDatabase { connection in
            var statements: [SQL] = []
            for number in 0..<300 {
                statements.append(number % 10 == 3 ? "SELECT 1 / \(0)" : "SELECT \(number)")
            }
            let answers = try await connection.pipeline(statements)
            #expect(answers.count == 300)
            for (number, answer) in answers.enumerated() {
                switch answer {
                case .success(let rows): #expect(try rows[0].decode(Int.self) == number)
                case .failure(let error):
                    #expect(number % 10 == 3)
                    #expect(error.kind == .dataException)
                }
            }
        }
    }

    @Test func `statements that run atomically run all or not at all`() async throws {
        try await withDatabase { connection in
            try await connection.runScript("CREATE TABLE notes (id int PRIMARY KEY)")
            let error = await postgresError {
                _ = try await connection.atomically([
                    "INSERT INTO notes VALUES (1)", "INSERT INTO notes VALUES (1)",
                    "INSERT INTO notes VALUES (2)",
                ])
            }
            #expect(error?.kind == .uniqueViolation(constraint: "notes_pkey"))
            #expect(try await connection.query("SELECT FROM notes").isEmpty)
            let rows = try await connection.atomically([
                "INSERT INTO notes VALUES (1)", "SELECT id FROM notes",
            ])
            #expect(rows.map(\.count) == [0, 1])
        }
    }

    @Test func `tasks that share a connection get their own answers`() async throws {
        try await withDatabase { connection in
            await withTaskGroup(of: Bool.self) { group in
                for number in 0..<200 {
                    group.addTask(executorPreference: connection.loop) {
                        let rows = try? await connection.query("SELECT \(number) WHERE \(number % 2) = 0")
                        guard let rows else { return false }
                        return number % 2 == 1 ? rows.isEmpty : (try? rows[0].decode(Int.self)) == number
                    }
                }
                for await isRight in group { #expect(isRight) }
            }
        }
    }

    @Test func `a connection prepares no more than it may, and forgets what it has not used for longest`()
        async throws
    {
        try await withDatabase { connection in
            for number in 0..<600 {
                // 600 different texts, and one that is used all the time.
                let rows = try await connection.query("SELECT \(unsafeSQL: String(number)) + \(1)")
                #expect(try rows[0].decode(Int.self) == number + 1)
                try await connection.execute("SELECT \(number), 'often'")
            }
            let rows = try await connection.query(
                """
                SELECT count(*), count(*) FILTER (WHERE statement LIKE '%often%') FROM pg_prepared_statements
                """
            )
            let (count, often) = try rows[0].decode((Int, Int).self)
            #expect(count == PostgresConnection.statementCacheLimit)
            #expect(often == 1 + 1, "the statement itself, and this one, which mentions it")
        }
    }

    @Test func `a statement prepared before the schema changed is prepared anew`() async throws {
        try await withDatabase { connection in
            try await connection.runScript("CREATE TABLE shapes (a int); INSERT INTO shapes VALUES (1)")
            #expect(try await connection.query("SELECT * FROM shapes").columnNames == ["a"])
            try await connection.runScript("ALTER TABLE shapes ADD b text")
            #expect(try await connection.query("SELECT * FROM shapes").columnNames == ["a", "b"])
            try await connection.runScript("ALTER TABLE shapes ADD c text")
            let columns = try await connection.transaction {
                try await $0.query("SELECT * FROM shapes").columnNames
            }
            #expect(columns == ["a", "b", "c"])
            try await connection.runScript("DEALLOCATE ALL")
            #expect(try await connection.query("SELECT * FROM shapes").count == 1)
        }
    }

    @Test func `a statement that cannot be prepared does not spoil the next`() async throws {
        try await withDatabase { connection in
            for _ in 0..<3 {
                let answers = try await connection.pipeline([
                    "SELECT nonsense", "SELECT nonsense", "SELECT 1",
                ])
                let kinds = answers.map { answer -> PostgresError.Kind? in
                    if case .failure(let error) = answer { error.kind } else { nil }
                }
                #expect(kinds == [.invalidStatement, .invalidStatement, nil])
            }
        }
    }

    @Test func `the session has the settings it was configured with`() async throws {
        try await withDatabase {
            $0.applicationName = "name with spaces"
            $0.statementTimeout = .milliseconds(1234)
            $0.lockTimeout = .milliseconds(567)
            $0.idleInTransactionTimeout = .milliseconds(8901)
            $0.role = "pg_monitor"
        } _: { connection in
            let settings = [
                ("application_name", "name with spaces"), ("statement_timeout", "1234ms"),
                ("lock_timeout", "567ms"),
                ("idle_in_transaction_session_timeout", "8901ms"), ("TimeZone", "UTC"),
                ("client_encoding", "UTF8"),
            ]
            for (name, value) in settings {
                let rows = try await connection.query("SELECT current_setting(\(name))")
                #expect(try rows[0].decode(String.self) == value)
            }
            let user = try await connection.query("SELECT current_user::text")
            #expect(try user[0].decode(String.self) == "pg_monitor")
        }
    }

    @Test func `notifications and notices reach their handlers`() async throws {
        try await withDatabase { connection in
            var heard: [PostgresNotification] = []
            var notices: [String] = []
            connection.onNotification = { heard.append($0) }
            connection.onNotice = { notices.append($0.message) }
            connection.discardAfterUse()
            try await connection.execute("LISTEN keys")
            let other = try await PostgresConnection.connect(connection.configuration, on: connection.loop)
            defer { other.close() }
            try await other.execute("SELECT pg_notify('keys', \("revoked ä"))")
            try await other.execute("NOTIFY others")
            try await eventually(on: connection.loop) { !heard.isEmpty }
            #expect(heard.map(\.channel) == ["keys"])
            #expect(heard.map(\.payload) == ["revoked ä"])
            #expect(heard.map(\.processIdentifier) == [other.processIdentifier])
            try await connection.execute("DO $$ BEGIN RAISE NOTICE 'look'; END $$")
            #expect(notices == ["look"])
        }
    }
}
