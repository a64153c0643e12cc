import Base
import Loop
import Postgres
import Testing

struct CopyTests {
    private struct Broken: Error {}
    private static let table =
        "CREATE TABLE events (id bigint, name text, org uuid, at timestamptz, data bytea, price numeric)"
    private static let columns = ["id", "name", "org", "at", "data", "price"]

    @Test func `ten thousand rows go in, and come out as they were`() async throws {
        try await withDatabase { connection in
            try await connection.runScript(Self.table)
            let organization = UUID.make()
            let count = try await connection.copy(into: "events", columns: Self.columns) { writer in
                for number in 0..<10_000 {
                    let name: String? = number % 7 == 0 ? nil : "name \(number) ä"
                    try await writer.write(
                        number, name, organization, Timestamp(seconds: Int64(number)), [UInt8(number % 256)],
                        PostgresNumeric("\(number).5"))
                }
            }
            #expect(count == 10_000)
            let rows = try await connection.query("SELECT * FROM events ORDER BY id").decode(
                (Int, String?, UUID, Timestamp, [UInt8], PostgresNumeric).self)
            #expect(rows.count == 10_000)
            for (number, row) in rows.enumerated() where number % 97 == 0 || number % 7 == 0 {
                #expect(row.0 == number)
                #expect(row.1 == (number % 7 == 0 ? nil : "name \(number) ä"))
                #expect(row.2 == organization)
                #expect(row.3 == Timestamp(seconds: Int64(number)))
                #expect(row.4 == [UInt8(number % 256)])
                #expect(row.5.text == "\(number).5")
            }
        }
    }

    @Test func `a copy that its source breaks off leaves no row`() async throws {
        try await withDatabase { connection in
            try await connection.runScript(Self.table)
            await #expect(throws: Broken.self) {
                try await connection.copy(into: "events", columns: ["id", "name"]) { writer in
                    for number in 0..<10_000 { try await writer.write(number, "x") }
                    throw Broken()
                }
            }
            #expect(try await connection.query("SELECT FROM events").isEmpty)
            #expect(connection.isClean)
        }
    }

    @Test func `a row that the server refuses ends the copy with its reason`() async throws {
        try await withDatabase { connection in
            try await connection.runScript(
                "CREATE TABLE numbers (n bigint CONSTRAINT small CHECK (n < 5000))")
            let error = await postgresError {
                try await connection.copy(into: "numbers", columns: ["n"]) { writer in
                    for number in 0..<10_000 { try await writer.write(number) }
                }
            }
            #expect(error?.kind == .checkViolation(constraint: "small"))
            let wrongCount = await postgresError {
                try await connection.copy(into: "numbers", columns: ["n"]) { try await $0.write(1, 2) }
            }
            #expect(wrongCount?.kind == .invalidParameter)
            let noTable = await postgresError {
                try await connection.copy(into: "none", columns: ["n"]) { _ in }
            }
            #expect(noTable?.kind == .invalidStatement)
            #expect(try await connection.query("SELECT FROM numbers").isEmpty)
        }
    }

    @Test func `a copy inside a transaction belongs to it`() async throws {
        try await withDatabase { connection in
            try await connection.runScript(Self.table)
            await #expect(throws: Broken.self) {
                try await connection.transaction { transaction in
                    try await transaction.copy(into: "public.events", columns: ["id"]) {
                        try await $0.write(1)
                    }
                    #expect(try await transaction.query("SELECT FROM events").count == 1)
                    throw Broken()
                }
            }
            #expect(try await connection.query("SELECT FROM events").isEmpty)
        }
    }

    @Test func `a cancelled copy leaves no row and the connection usable`() async throws {
        try await withDatabase { connection in
            try await connection.runScript(Self.table)
            let task = Task(executorPreference: connection.loop) {
                await postgresError {
                    try await connection.copy(into: "events", columns: ["id", "name"]) { writer in
                        while true { try await writer.write(1, String(repeating: "x", count: 10_000)) }
                    }
                }
            }
            try await connection.loop.sleep(for: .milliseconds(50))
            task.cancel()
            #expect(await task.value?.kind == .cancelled)
            #expect(try await connection.query("SELECT FROM events").isEmpty)
        }
    }

    @Test func `a large copy of lines never stands still`() async throws {
        try await withDatabase { connection in
            try await connection.execute("CREATE TEMPORARY TABLE lines (n bigint, text text)")
            let line = Array("1\t\(String(repeating: "x", count: 700))\n".utf8)
            let lines = ArraySlice(Array(repeating: line, count: 100).joined())
            for _ in 0..<8 {
                let count = try await connection.copyText(
                    into: "lines", columns: ["n", "text"], timeout: .seconds(20)
                ) { writer in
                    for _ in 0..<400 { try await writer.write(lines: lines) }
                }
                #expect(count == 40_000)
                try await connection.execute("TRUNCATE lines")
            }
        }
    }

    @Test func `a COPY that does not run through copy is refused with a hint`() async throws {
        try await withDatabase { connection in
            try await connection.runScript(Self.table)
            let error = await postgresError { try await connection.query("COPY events FROM STDIN") }
            #expect(error != nil)
        }
    }
}
