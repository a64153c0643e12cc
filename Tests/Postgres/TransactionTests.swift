import Base
import Loop
import Postgres
import Testing

struct TransactionTests {
    private struct Refused: Error {}

    private func prepare(_ pool: PostgresPool) async throws {
        try await pool.withConnection {
            try await $0.runScript(
                """
                CREATE TABLE accounts (id int PRIMARY KEY, amount int NOT NULL);
                INSERT INTO accounts VALUES (1, 100), (2, 100);
                """)
        }
    }

    private func amounts(_ pool: PostgresPool) async throws -> [Int] {
        try await pool.query("SELECT amount FROM accounts ORDER BY id").decode(Int.self)
    }

    @Test func `what a transaction did is kept when it ends and undone when it throws`() async throws {
        try await withPool {
            $1.maximum = 1
        } _: { pool in
            try await prepare(pool)
            let doubled = try await pool.transaction { transaction in
                try await transaction.execute("UPDATE accounts SET amount = 1 WHERE id = 1")
                return try await transaction.query("SELECT 2")[0].decode(Int32.self)
            }
            #expect(doubled == 2)
            await #expect(throws: Refused.self) {
                try await pool.transaction { transaction in
                    try await transaction.execute("UPDATE accounts SET amount = 2 WHERE id = 2")
                    throw Refused()
                }
            }
            #expect(try await amounts(pool) == [1, 100])
            #expect(pool.health.open == 1, "the connection that rolled back serves on")
        }
    }

    @Test func `a nested transaction is undone alone`() async throws {
        try await withPool { pool in
            try await prepare(pool)
            try await pool.transaction { transaction in
                try await transaction.execute("UPDATE accounts SET amount = 1 WHERE id = 1")
                let inner = await postgresError {
                    try await transaction.nested { nested in
                        try await nested.execute("UPDATE accounts SET amount = 2 WHERE id = 2")
                        try await nested.nested { try await $0.execute("SELECT 1/0") }
                    }
                }
                #expect(inner?.kind == .dataException)
                try await transaction.nested {
                    try await $0.execute("UPDATE accounts SET amount = amount + 1")
                }
            }
            #expect(try await amounts(pool) == [2, 101])
        }
    }

    @Test func `a failure that the body hides does not pass for a commit`() async throws {
        try await withPool { pool in
            try await prepare(pool)
            let error = await postgresError {
                try await pool.transaction { transaction in
                    try await transaction.execute("UPDATE accounts SET amount = 1 WHERE id = 1")
                    _ = await postgresError { try await transaction.execute("SELECT 1/0") }
                }
            }
            #expect(error?.kind == .dataException)
            #expect(try await amounts(pool) == [100, 100])
        }
    }

    @Test func `a transaction that others overtook is run again`() async throws {
        try await withPool { pool in
            try await prepare(pool)
            var runs = 0
            try await pool.transaction(isolation: .serializable) { transaction in
                runs += 1
                let amount = try await transaction.query("SELECT amount FROM accounts WHERE id = 1")[0]
                    .decode(Int.self)
                if runs == 1 {
                    try await pool.transaction {
                        try await $0.execute("UPDATE accounts SET amount = 50 WHERE id = 1")
                    }
                }
                try await transaction.execute("UPDATE accounts SET amount = \(amount + 1) WHERE id = 1")
            }
            #expect(runs == 2)
            #expect(try await amounts(pool) == [51, 100])
        }
    }

    @Test func `a transaction that can never win gives up after four runs`() async throws {
        try await withPool { pool in
            try await prepare(pool)
            var runs = 0
            let error = await postgresError {
                try await pool.transaction(isolation: .repeatableRead) { transaction in
                    runs += 1
                    try await transaction.execute("SELECT 1 FROM accounts")
                    try await pool.execute("UPDATE accounts SET amount = amount + 1 WHERE id = 1")
                    try await transaction.execute("UPDATE accounts SET amount = 0 WHERE id = 1")
                }
            }
            #expect(error?.kind == .serializationFailure)
            #expect(runs == 4)
            #expect(try await amounts(pool) == [104, 100])
        }
    }

    @Test func `of two transactions that wait for each other, the victim is run again`() async throws {
        try await withPool { pool in
            try await prepare(pool)
            let runs = Locked(0)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (first, second) in [(1, 2), (2, 1)] {
                    group.addTask(executorPreference: pool.loop) {
                        try await pool.transaction { transaction in
                            let run = runs.withLock { runs in
                                runs += 1
                                return runs
                            }
                            try await transaction.execute(
                                "UPDATE accounts SET amount = amount + 1 WHERE id = \(first)")
                            // Both hold their first row before either asks for its second.
                            if run <= 2 {
                                try await eventually(on: pool.loop) { runs.withLock { $0 } >= 2 }
                                try await pool.loop.sleep(for: .milliseconds(50))
                            }
                            try await transaction.execute(
                                "UPDATE accounts SET amount = amount + 1 WHERE id = \(second)")
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(runs.withLock { $0 } == 3)
            #expect(try await amounts(pool) == [102, 102])
        }
    }

    @Test func `a cancelled transaction leaves nothing behind, whatever it was doing`() async throws {
        try await withPool { pool in
            try await prepare(pool)
            for _ in 0..<5 {
                let task = Task(executorPreference: pool.loop) {
                    await postgresError {
                        try await pool.transaction { transaction in
                            try await transaction.execute("UPDATE accounts SET amount = 0")
                            try await transaction.execute("SELECT pg_sleep(\(600.0))")
                        }
                    }
                }
                try await pool.loop.sleep(for: .milliseconds(20))
                task.cancel()
                #expect(await task.value?.kind == .cancelled)
                #expect(try await amounts(pool) == [100, 100])
            }
            try await eventually(on: pool.loop) { pool.health.leased == 0 }
            #expect(pool.health.open <= 4)
        }
    }

    @Test func `a session that ends during COMMIT leaves the outcome open, and nothing is run twice`()
        async throws
    {
        try await withPool { pool in
            try await prepare(pool)
            try await pool.withConnection {
                // A deferred trigger runs inside COMMIT; it ends its own session there.
                try await $0.runScript(
                    """
                    CREATE FUNCTION end_session() RETURNS trigger LANGUAGE plpgsql AS
                    $$ BEGIN
                        PERFORM pg_terminate_backend(pg_backend_pid()), pg_sleep(1);
                        RETURN NULL;
                    END $$;
                    CREATE CONSTRAINT TRIGGER ends AFTER UPDATE ON accounts DEFERRABLE INITIALLY DEFERRED
                    FOR EACH ROW EXECUTE FUNCTION end_session();
                    """)
            }
            var runs = 0
            let error = await postgresError {
                try await pool.transaction { transaction in
                    runs += 1
                    try await transaction.execute("UPDATE accounts SET amount = 1 WHERE id = 1")
                }
            }
            #expect(error?.kind == .commitOutcomeUnknown)
            #expect(error?.mayHaveExecuted == true)
            #expect(runs == 1)
        }
    }

    @Test func `a tenant sees its own rows only, and the next user of the connection sees none of it`()
        async throws
    {
        try await withPool {
            $1.maximum = 1
        } _: { pool in
            let role = "app_\(UUID.make().description.filter { $0 != "-" })"
            try await pool.withConnection {
                try await $0.runScript(
                    """
                    CREATE TABLE secrets (org_id uuid NOT NULL, text text NOT NULL);
                    ALTER TABLE secrets ENABLE ROW LEVEL SECURITY;
                    ALTER TABLE secrets FORCE ROW LEVEL SECURITY;
                    CREATE POLICY own ON secrets
                        USING (org_id = NULLIF(current_setting('app.org_id', true), '')::uuid);
                    CREATE ROLE \(role);
                    GRANT ALL ON secrets TO \(role);
                    """)
                try await $0.execute("SET ROLE \(unsafeSQL: role)")
            }
            let (ours, theirs) = (UUID.make(), UUID.make())
            for organization in [ours, theirs] {
                try await pool.transaction(tenant: organization) {
                    try await $0.execute(
                        "INSERT INTO secrets VALUES (\(organization), \(organization.description))")
                }
            }
            let seen = try await pool.transaction(tenant: ours) {
                try await $0.query("SELECT text FROM secrets").decode(String.self)
            }
            #expect(seen == [ours.description])
            let foreign = await postgresError {
                try await pool.transaction(tenant: ours) {
                    try await $0.execute("INSERT INTO secrets VALUES (\(theirs), 'planted')")
                }
            }
            #expect(foreign?.kind == .insufficientPrivilege)
            #expect(try await pool.query("SELECT text FROM secrets").isEmpty)
            let setting = try await pool.query(
                "SELECT NULLIF(current_setting('app.org_id', true), '') AS org")
            #expect(try setting[0].decode(String?.self, "org") == nil)
            #expect(try await pool.transaction { try await $0.query("SELECT text FROM secrets").count } == 0)
            #expect(pool.health.open == 1)
        }
    }
}
