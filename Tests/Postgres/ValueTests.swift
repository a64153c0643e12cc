import Base
import Postgres
import Testing

struct ValueTests {
    /// Sends `values` one by one and expects them back as they went.
    private func roundTrip<Value: PostgresEncodable & PostgresDecodable & Equatable>(
        _ values: [Value], as type: String, at location: SourceLocation = #_sourceLocation
    ) async throws {
        try await withDatabase { connection in
            for value in values {
                let rows = try await connection.query("SELECT \(value)::\(unsafeSQL: type) AS value")
                #expect(try rows[0].decode(Value.self, "value") == value, sourceLocation: location)
            }
            let null = try await connection.query("SELECT \(Value?.none)::\(unsafeSQL: type) AS value")
            #expect(try null[0].decode(Value?.self, "value") == nil, sourceLocation: location)
        }
    }

    @Test func `booleans survive the round trip`() async throws {
        try await roundTrip([true, false], as: "boolean")
    }

    @Test func `integers of every width survive the round trip at their extremes`() async throws {
        try await roundTrip([Int16.min, -1, 0, 1, .max], as: "smallint")
        try await roundTrip([Int32.min, -1, 0, 1, .max], as: "integer")
        try await roundTrip([Int64.min, -1, 0, 1, .max], as: "bigint")
        try await roundTrip([Int.min, -1, 0, 1, .max], as: "bigint")
    }

    @Test func `doubles survive the round trip at their extremes`() async throws {
        let values: [Double] = [
            0, -0.1, .greatestFiniteMagnitude, .leastNonzeroMagnitude, .infinity, -.infinity, .pi,
        ]
        try await roundTrip(values, as: "double precision")
        try await withDatabase { connection in
            let rows = try await connection.query("SELECT \(Double.nan), 1.5::real")
            let (nan, real) = try rows[0].decode((Double, Double).self)
            #expect(nan.isNaN)
            #expect(real == 1.5)
        }
    }

    @Test func `text survives the round trip, whatever is in it`() async throws {
        let values = [
            "", "a", "ä€🐝", "line\nbreak\ttab", "back\\slash", String(repeating: "x", count: 300_000),
        ]
        try await roundTrip(values, as: "text")
    }

    @Test func `bytes survive the round trip, all of them`() async throws {
        try await roundTrip([[], [0], Array(0...255), [UInt8](repeating: 0xFF, count: 100_000)], as: "bytea")
    }

    @Test func `identifiers survive the round trip`() async throws {
        let values = [UUID(high: 0, low: 0), UUID(high: .max, low: .max), UUID.make()]
        try await roundTrip(values, as: "uuid")
        try await withDatabase { connection in
            let identifier = UUID.make()
            let rows = try await connection.query("SELECT \(identifier)::text")
            #expect(try rows[0].decode(String.self) == identifier.description)
        }
    }

    @Test func `times survive the round trip, from the years before Christ to infinity`() async throws {
        let values = [
            Timestamp(microseconds: 0), Timestamp(microseconds: -1),
            Timestamp(microseconds: 1_763_692_100_123_456),
            Timestamp(seconds: -210_866_803_200), Timestamp(microseconds: .max),
            Timestamp(microseconds: .min),
        ]
        try await roundTrip(values, as: "timestamptz")
        try await withDatabase { connection in
            let rows = try await connection.query("SELECT \(Timestamp(seconds: 1_000_000_000))::text")
            #expect(try rows[0].decode(String.self) == "2001-09-09 01:46:40+00")
            let latest = try await connection.query("SELECT '294276-12-31'::timestamptz AS moment")
            let error = await postgresError { _ = try latest[0].decode(Timestamp.self, "moment") }
            #expect(
                error?.details.message
                    == "column \"moment\": malformed timestamptz: later than a Timestamp can be")
            let tooEarly = await postgresError {
                _ = try await connection.query("SELECT \(Timestamp(microseconds: .min + 10))")
            }
            #expect(tooEarly?.kind == .dataException)
        }
    }

    @Test func `JSON survives the round trip`() async throws {
        try await roundTrip([PostgresJSON("{\"a\": [1, null, \"ä\"]}"), PostgresJSON("null")], as: "jsonb")
        try await withDatabase { connection in
            let rows = try await connection.query("SELECT '{\"b\":  1}'::json")
            #expect(try rows[0].decode(PostgresJSON.self).text == "{\"b\":  1}")
        }
    }

    @Test func `decimal numbers keep every digit`() async throws {
        let texts = [
            "0", "1", "-1", "0.1", "-0.0001", "10000", "12345.6789",
            "99999999999999999999.000000000000000001",
            "0.00000000000000000000000001", "100000000", "-10000.00010", "NaN",
        ]
        try await roundTrip(texts.compactMap { PostgresNumeric($0) }, as: "numeric")
        try await withDatabase { connection in
            for text in texts {
                let value = try #require(PostgresNumeric(text))
                let rows = try await connection.query("SELECT \(value)::text, \(text)::numeric")
                #expect(try rows[0].decode((String, PostgresNumeric).self) == (text, value))
            }
            let rows = try await connection.query(
                "SELECT sum(n) FROM (VALUES (9223372036854775807), (1)) AS v(n)")
            #expect(try rows[0].decode(PostgresNumeric.self).text == "9223372036854775808")
        }
        for text in ["", ".", "1.", ".5", "1e5", "--1", "1.2.3", "0x1", " 1"] {
            #expect(PostgresNumeric(text) == nil)
        }
    }

    @Test func `arrays survive the round trip`() async throws {
        try await roundTrip([[], ["a", "", "{\"quoted\",\\}", "NULL"]], as: "text[]")
        try await roundTrip([[], [Int64.min, 0, .max]], as: "bigint[]")
        try await roundTrip([[], [UUID.make(), UUID.make()]], as: "uuid[]")
        try await withDatabase { connection in
            let rows = try await connection.query("SELECT 1 WHERE 'b' = ANY(\(["a", "b"]))")
            #expect(rows.count == 1)
            let withNull = try await connection.query("SELECT ARRAY['a', NULL] AS list")
            let error = await postgresError { _ = try withNull[0].decode([String].self, "list") }
            #expect(error?.details.message == "column \"list\": malformed text[]: element 2 is NULL")
        }
    }

    private enum Color: String, PostgresCodable { case red, green }

    @Test func `an enumeration travels as its raw value`() async throws {
        try await withDatabase { connection in
            try await connection.runScript("CREATE TYPE color AS ENUM ('red', 'green', 'blue')")
            let rows = try await connection.query(
                "SELECT \(Color.green)::color AS one, 'blue'::color AS other")
            #expect(try rows[0].decode(Color.self, "one") == .green)
            let error = await postgresError { _ = try rows[0].decode(Color.self, "other") }
            #expect(error?.kind == .decoding)
        }
    }

    @Test func `text with NUL is refused before it is sent`() async throws {
        try await withDatabase { connection in
            let error = await postgresError { _ = try await connection.query("SELECT \("a\0b")") }
            #expect(error?.kind == .invalidParameter)
            #expect(error?.details.message == "parameter $1: text cannot hold the character NUL")
            let rows = try await connection.query("SELECT 1")
            #expect(rows.count == 1)
        }
    }
}
