import Base
import Postgres
import Testing

struct SQLTests {
    @Test func `values become placeholders`() {
        let identifier = UUID.make()
        let name: String? = nil
        let query: SQL = "SELECT id FROM users WHERE org_id = \(identifier) AND name = \(name) AND age > \(3)"
        #expect(query.text == "SELECT id FROM users WHERE org_id = $1 AND name = $2 AND age > $3")
        #expect("\(query)" == query.text)
    }

    @Test func `a fragment keeps its values and is renumbered`() async throws {
        let inner: SQL = "b = \(2) AND c = \("x$1")"
        let outer: SQL = "SELECT \(1) AS a, \(inner), '$1', \(SQL.joined(["\(4)", "\(5)"], by: ", "))"
        #expect(outer.text == "SELECT $1 AS a, b = $2 AND c = $3, '$1', $4, $5")
        let leading: SQL = "\(SQL("x = \(1)")) AND y = \(2)"
        #expect(leading.text == "x = $1 AND y = $2")
        try await withDatabase { connection in
            let many = SQL.joined((1...12).map { "\($0)::bigint" }, by: " + ")
            let rows = try await connection.query("SELECT \(100) + \(many) + \(1000)")
            #expect(try rows[0].decode(Int.self) == 1178)
        }
    }

    @Test func `only the labelled exit pastes text`() {
        let query: SQL = "SELECT * FROM \(unsafeSQL: "users") WHERE name = \("users")"
        #expect(query.text == "SELECT * FROM users WHERE name = $1")
    }

    @Test(arguments: [UInt64(1), 2, 3])
    func `whatever a string holds, it stays a string`(seed: UInt64) async throws {
        let pieces = [
            "'", "\"", ";", "--", "/*", "*/", "\\", "$1", "$$", "\n", "%", "DROP TABLE victims", " OR 1=1",
            "E'",
            "\u{202E}", "ß", "🐝", "\u{1}", "NULL", ")", "(", "{", "}", ",", "::text",
        ]
        try await withDatabase { connection in
            try await connection.runScript(
                "CREATE TABLE victims (name text); INSERT INTO victims VALUES ('alive')")
            var random = SeededGenerator(seed: seed)
            for _ in 0..<100 {
                let count = Int.random(in: 0...12, using: &random)
                let nasty = (0..<count).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
                let rows = try await connection.query(
                    "SELECT \(nasty) AS value, \([nasty, nasty]) AS list, \(PostgresJSON("{}")) AS json")
                #expect(try rows[0].decode(String.self, "value") == nasty, "seed \(seed)")
                #expect(try rows[0].decode([String].self, "list") == [nasty, nasty], "seed \(seed)")
                #expect(try await connection.query("SELECT FROM victims WHERE name = \(nasty)").count == 0)
            }
            #expect(try await connection.query("SELECT FROM victims").count == 1)
        }
    }
}
