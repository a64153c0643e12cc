import Base
import Postgres
import Testing

struct DecodingTests {
    private struct UserByName: PostgresStatement {
        var name: String
        var sql: SQL { "SELECT id, name, age FROM users WHERE name = \(name)" }
        static func decode(_ row: PostgresRow) throws(PostgresError) -> (id: Int64, name: String, age: Int?) {
            try row.decode((Int64, String, Int?).self)
        }
    }

    @Test func `a statement gives typed rows`() async throws {
        try await withDatabase { connection in
            try await connection.runScript(
                """
                CREATE TABLE users (id bigint, name text, age int);
                INSERT INTO users VALUES (1, 'ada', NULL), (2, 'bob', 7);
                """
            )
            let users = try await connection.query(UserByName(name: "ada"))
            #expect(users.map(\.id) == [1])
            #expect(users[0].age == nil)
            let names = try await connection.query("SELECT name FROM users ORDER BY id").decode(String.self)
            #expect(names == ["ada", "bob"])
        }
    }

    @Test func `a decoding error names the column and both types`() async throws {
        try await withDatabase { connection in
            let rows = try await connection.query(
                "SELECT 'x'::text AS amount, NULL::text AS name, 1::int AS small")
            func message(_ body: () throws -> Void) async -> String? {
                let error = await postgresError { try body() }
                #expect(error?.kind == .decoding)
                return error?.details.message
            }
            #expect(
                await message { _ = try rows[0].decode(Int.self, "amount") }
                    == "column \"amount\": expected bigint, got text")
            #expect(
                await message { _ = try rows[0].decode(String.self, "name") } == "column \"name\" is NULL")
            #expect(
                await message { _ = try rows[0].decode(UUID.self, "small") }
                    == "column \"small\": expected uuid, got integer")
            #expect(
                await message { _ = try rows[0].decode(String.self, "missing") }
                    == "column \"missing\": not among amount, name, small")
            #expect(
                await message { _ = try rows[0].decode((String, String?).self) }
                    == "expected 2 columns, got 3")
            #expect(
                await message { _ = try rows[0].decode((String, String?, Int16).self) }
                    == "column \"small\": expected smallint, got integer")
            #expect(try rows[0].decode(Int64.self, "small") == 1)
        }
    }

    @Test func `an error is described without its data, and explained in the log without parameters`()
        async throws
    {
        try await withDatabase { connection in
            try await connection.runScript("CREATE TABLE users (email text CONSTRAINT one_email UNIQUE)")
            try await connection.execute("INSERT INTO users VALUES (\("secret@example.com"))")
            let error = await postgresError {
                try await connection.execute("INSERT INTO users VALUES (\("secret@example.com"))")
            }
            #expect(error?.kind == .uniqueViolation(constraint: "one_email"))
            #expect(error?.sqlState == "23505")
            #expect(error?.description == "This already exists. (23505)")
            let log = error?.debugDescription ?? ""
            #expect(log.contains("INSERT INTO users VALUES ($1)"))
            #expect(log.contains("one_email"))
            #expect(!log.contains("secret"))
        }
    }

    @Test func `errors are sorted by what to do about them`() async throws {
        try await withDatabase { connection in
            try await connection.runScript(
                """
                CREATE TABLE parents (id int PRIMARY KEY);
                CREATE TABLE children (
                    parent int NOT NULL CONSTRAINT has_parent REFERENCES parents,
                    age int CONSTRAINT grown CHECK (age > 0));
                CREATE TABLE rooms (
                    during int4range, CONSTRAINT one_guest EXCLUDE USING gist (during WITH &&));
                INSERT INTO rooms VALUES ('[1,5]');
                CREATE ROLE nobody_\(connection.processIdentifier);
                """)
            let cases: [(SQL, PostgresError.Kind)] = [
                ("INSERT INTO children VALUES (1, 1)", .foreignKeyViolation(constraint: "has_parent")),
                ("INSERT INTO children VALUES (1, 0)", .checkViolation(constraint: "grown")),
                ("INSERT INTO children VALUES (NULL, 1)", .notNullViolation(column: "parent")),
                ("INSERT INTO rooms VALUES ('[2,3]')", .exclusionViolation(constraint: "one_guest")),
                ("SELECT 1/0", .dataException),
                ("SELECT \("x")::int", .dataException),
                ("SELEC", .invalidStatement),
                ("SELECT * FROM nothing", .invalidStatement),
                ("DO $$ BEGIN RAISE EXCEPTION 'no'; END $$", .raised),
            ]
            for (sql, kind) in cases {
                let error = await postgresError { try await connection.execute(sql) }
                #expect(error?.kind == kind, "\(sql)")
                #expect(error?.mayHaveExecuted == false)
            }
            let readOnly = await postgresError {
                try await connection.transaction(readOnly: true) { try await $0.execute("CREATE TABLE t ()") }
            }
            #expect(readOnly?.kind == .readOnly)
            let denied = await postgresError {
                try await connection.transaction { transaction in
                    try await transaction.execute(
                        "SET LOCAL ROLE \(unsafeSQL: "nobody_\(connection.processIdentifier)")")
                    try await transaction.execute("SELECT * FROM parents")
                }
            }
            #expect(denied?.kind == .insufficientPrivilege)
        }
    }
}
