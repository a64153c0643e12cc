import Base
import Glibc
import Loop
import Postgres
import TestKit
import Testing

struct MigratorTests {
    private func file(_ name: String, _ text: String) throws -> MigrationFile {
        try MigrationFile(fileName: name, content: Array(text.utf8))
    }

    private func files() throws -> [MigrationFile] {
        [
            try file("20260101000000_users.sql", "CREATE TABLE users (id int);\nCREATE TABLE keys (id int);"),
            try file("20260102000000_names.sql", "ALTER TABLE users ADD name text"),
        ]
    }

    /// A migration ends its session's use; each gets one of its own.
    private func run(_ migrator: Migrator, like connection: PostgresConnection) async throws -> [String] {
        let session = try await PostgresConnection.connect(connection.configuration, on: connection.loop)
        defer { session.close() }
        return try await migrator.run(on: session).map(\.fileName)
    }

    @Test func `migrations are applied in order, once, and recorded`() async throws {
        let migrator = Migrator(files: try files().reversed())
        try await withDatabase { connection in
            #expect(try await migrator.plan(on: connection).pending.map(\.name) == ["users", "names"])
            let exists = try await connection.query("SELECT to_regclass('hivegate_migrations') IS NOT NULL")
            #expect(try exists[0].decode(Bool.self) == false, "a plan changes nothing")
            let applied = try await run(migrator, like: connection)
            #expect(applied == ["20260101000000_users.sql", "20260102000000_names.sql"])
            let again = try await run(migrator, like: connection)
            #expect(again.isEmpty)
            #expect(try await connection.query("SELECT * FROM users").columnNames == ["id", "name"])
            let plan = try await migrator.plan(on: connection)
            #expect(plan.pending.isEmpty)
            #expect(plan.applied.map(\.checksum) == (try files()).map(\.checksum))
            let recorded = try await connection.query(
                "SELECT count(*) FROM hivegate_migrations WHERE duration > '0'")
            #expect(try recorded[0].decode(Int.self) == 2)
        }
    }

    @Test func `many processes may migrate at once; one does it and the others see it done`() async throws {
        let migrator = Migrator(files: [
            try file("20260101000000_slow.sql", "SELECT pg_sleep(0.2); CREATE TABLE slow ()"),
            try file("20260102000000_more.sql", "CREATE TABLE more ()"),
        ])
        try await withDatabase { connection in
            let waits = Locked(0)
            var reporting = migrator
            reporting.report = { if $0 == .waitingForAnotherProcess { waits.withLock { $0 += 1 } } }
            let counts = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<6 {
                    group.addTask(executorPreference: connection.loop) { [reporting] in
                        try await run(reporting, like: connection).count
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(counts.sorted() == [0, 0, 0, 0, 0, 2])
            #expect(waits.withLock { $0 } == 5)
        }
    }

    @Test func `a file that was edited, removed, renamed or comes too late is refused by name, all at once`()
        async throws
    {
        let migrator = Migrator(files: try files() + [try file("20260103000000_gone.sql", "SELECT 1")])
        let changed = Migrator(files: [
            try file("20260101000000_users.sql", "CREATE TABLE users (id bigint)"),
            try file("20260101120000_late.sql", "SELECT 1"),
            try file("20260102000000_titles.sql", "ALTER TABLE users ADD name text"),
            try file("20260104000000_new.sql", "CREATE TABLE new ()"),
            try file("20260104000000_twin.sql", "CREATE TABLE twin ()"),
        ])
        try await withDatabase { connection in
            _ = try await run(migrator, like: connection)
            for attempt in 0..<2 {
                let error = await postgresError {
                    if attempt == 0 {
                        _ = try await changed.plan(on: connection)
                    } else {
                        _ = try await run(changed, like: connection)
                    }
                }
                #expect(error?.kind == .migration)
                let message = error?.details.message ?? ""
                #expect(message.contains("20260101000000_users.sql was edited after it was applied"))
                #expect(message.contains("20260103000000_gone.sql was applied and its file is gone"))
                #expect(message.contains("20260101120000_late.sql is older than 20260103000000_gone.sql"))
                #expect(
                    message.contains(
                        "20260102000000_titles.sql was applied under the name 20260102000000_names.sql"))
                #expect(
                    message.contains("20260104000000_new.sql and 20260104000000_twin.sql have the same time"))
            }
            let tables = try await connection.query("SELECT to_regclass('new')::text")
            #expect(try tables[0].decode(String?.self).self == String?.none)
        }
    }

    @Test func `a migration that fails leaves nothing of itself and says where it failed`() async throws {
        let migrator = Migrator(files: [
            try file("20260101000000_good.sql", "CREATE TABLE good ()"),
            try file("20260102000000_bad.sql", "CREATE TABLE bad ();\n-- ä comment\nCREATE TABEL worse ();"),
            try file("20260103000000_after.sql", "CREATE TABLE after ()"),
        ])
        try await withDatabase { connection in
            let error = await postgresError { try await run(migrator, like: connection) }
            #expect(error?.kind == .invalidStatement)
            #expect(error?.details.message.contains("20260102000000_bad.sql, line 3") == true)
            let plan = try await migrator.plan(on: connection)
            #expect(plan.applied.map(\.name) == ["good"])
            let tables = try await connection.query(
                "SELECT to_regclass('bad') IS NULL AND to_regclass('after') IS NULL")
            #expect(try tables[0].decode(Bool.self))
        }
    }

    @Test func `a file may run outside a transaction, statement by statement`() async throws {
        let migrator = Migrator(files: [
            try file("20260101000000_users.sql", "CREATE TABLE users (id int)"),
            try file(
                "20260102000000_index.sql",
                """
                -- hivegate: no transaction
                CREATE INDEX CONCURRENTLY first ON users (id);
                CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END; $$;
                CREATE INDEX CONCURRENTLY second ON users (id); -- the end
                """),
        ])
        try await withDatabase { connection in
            #expect(try await run(migrator, like: connection).count == 2)
            let indexes = try await connection.query(
                "SELECT indexname::text FROM pg_indexes WHERE tablename = 'users'")
            #expect(Set(try indexes.decode(String.self)) == ["first", "second"])
        }
    }

    @Test func `a migration that ends its own transaction is refused`() async throws {
        let migrator = Migrator(files: [try file("20260101000000_sly.sql", "CREATE TABLE sly (); COMMIT")])
        try await withDatabase { connection in
            let error = await postgresError { try await run(migrator, like: connection) }
            #expect(error?.kind == .migration)
            #expect(error?.details.message.contains("20260101000000_sly.sql") == true)
        }
    }

    @Test func `a migration that does not get its lock lets others pass and tries again`() async throws {
        var migrator = Migrator(files: [
            try file("20260101000000_column.sql", "ALTER TABLE busy ADD name text")
        ])
        let waits = Locked(0)
        migrator.lockTimeout = .milliseconds(100)
        migrator.report = { if case .waitingForLocks = $0 { waits.withLock { $0 += 1 } } }
        let impatient = migrator
        try await withDatabase { connection in
            try await connection.runScript("CREATE TABLE busy ()")
            let migration = try await connection.transaction { transaction in
                try await transaction.execute("LOCK TABLE busy")
                let task = Task(executorPreference: connection.loop) {
                    try await run(impatient, like: connection)
                }
                try await eventually(on: connection.loop) { waits.withLock { $0 } > 0 }
                return task
            }
            #expect(try await migration.value.count == 1)
        }
    }

    @Test func `the files of a directory are read in order, and a wrong name is refused`() throws {
        let directory = TemporaryDirectory.make("migrations")
        defer { TemporaryDirectory.remove(directory) }
        for (name, text) in [
            ("20260102000000_b.sql", "SELECT 2"), ("20260101000000_a.sql", "SELECT 1"), ("README.md", "x"),
        ] {
            let descriptor = open("\(directory)/\(name)", O_WRONLY | O_CREAT, 0o600)
            _ = write(descriptor, text, text.utf8.count)
            close(descriptor)
        }
        let files = try MigrationFile.read(directory: directory)
        #expect(files.map(\.name) == ["a", "b"])
        #expect(files.map(\.text) == ["SELECT 1", "SELECT 2"])
        #expect(
            String(hex: files[0].checksum)
                == "e004ebd5b5532a4b85984a62f8ad48a81aa3460c1ca07701f386135d72cdecf5")
        #expect(throws: PostgresError.self) { try MigrationFile.read(directory: "\(directory)/none") }
        for name in [
            "1_a.sql", "20261301000000_a.sql", "20260101000000_.sql", "20260101000000_A b.sql",
            "20260101000000.sql",
        ] {
            #expect(throws: PostgresError.self) { try MigrationFile(fileName: name, content: []) }
        }
    }
}
