import Base
import HTTPWire
import Testing

struct ResponseHeadTests {
    static let moment = Timestamp(seconds: 1_795_228_100)

    private func write(
        _ status: Int, _ fields: HTTPFields, _ framing: ResponseFraming,
        _ connection: ConnectionOption = .implied
    ) throws -> String {
        var writer = ResponseHeadWriter()
        var output: [UInt8] = []
        try writer.append(
            status: status, fields: fields, framing: framing, connection: connection, at: Self.moment,
            to: &output)
        return text(output)
    }

    @Test func `a head has its status, date, fields in order, and its length`() throws {
        #expect(
            try write(200, ["Content-Type": "text/plain", "X-A": "1"], .length(12)) == """
                HTTP/1.1 200 OK\r
                Date: Sat, 21 Nov 2026 02:28:20 GMT\r
                Content-Type: text/plain\r
                X-A: 1\r
                Content-Length: 12\r
                \r\n
                """)
        #expect(
            try write(503, [:], .chunked, .close) == """
                HTTP/1.1 503 Service Unavailable\r
                Date: Sat, 21 Nov 2026 02:28:20 GMT\r
                Transfer-Encoding: chunked\r
                Connection: close\r
                \r\n
                """)
        #expect(try write(204, [:], .none).contains("Content-Length") == false)
        #expect(try write(200, [:], .untilClose, .keepAlive).contains("Connection: keep-alive\r\n"))
    }

    @Test func `the date is made anew each second`() throws {
        var date = HTTPDate()
        for (seconds, expected) in [
            (0, "Thu, 01 Jan 1970 00:00:00"), (951_782_399, "Mon, 28 Feb 2000 23:59:59"),
        ] {
            let output = date.line(at: Timestamp(seconds: Int64(seconds)))
            #expect(text(output) == "Date: \(expected) GMT\r\n")
        }
    }

    @Test func `a response cannot be split by a value or a name`() throws {
        for value in ["a\r\nSet-Cookie: x", "a\nb", "a\rb", "a\u{0}b", "\u{7F}", "a\u{1B}"] {
            var fields = HTTPFields()
            fields.append("X-Good", "1")
            fields.append("X-Bad", value)
            #expect(fields.fault == .invalidValue(name: "X-Bad"))
            #expect(fields.pairs.map(\.name) == ["X-Good"])
            #expect(throws: HTTPFields.FieldFault.self) { try write(200, fields, .none) }
        }
        for name in ["", "a b", "a:", "a\r\nb", "ä", "a\u{0}"] {
            #expect(throws: HTTPFields.FieldFault.self) { try write(200, [name: "1"], .none) }
        }
    }

    @Test func `a refused head leaves nothing behind`() {
        var writer = ResponseHeadWriter()
        var output = Array("before".utf8)
        #expect(throws: HTTPFields.FieldFault.self) {
            try writer.append(
                status: 200, fields: ["X": "\n"], framing: .none, connection: .implied, at: Self.moment,
                to: &output)
        }
        #expect(text(output) == "before")
    }

    @Test(arguments: ["Content-Length", "transfer-encoding", "Connection", "Date"])
    func `what the writer says itself cannot be said twice`(name: String) {
        #expect(throws: HTTPFields.FieldFault.self) { try write(200, [name: "1"], .length(1)) }
    }

    @Test func `fields are replaced, removed and joined`() {
        var fields: HTTPFields = ["A": "1", "b": "2", "a": "3"]
        fields.replace("a", "4")
        #expect(fields.pairs.map { "\($0.name)=\($0.value)" } == ["b=2", "a=4"])
        fields.remove("B")
        fields.append(contentsOf: ["C": " 5 "])
        #expect(fields == ["A": "4", "c": "5"])
        #expect(fields != ["c": "5", "A": "4"])
    }

    @Test func `every status in use has a reason`() {
        for status in [
            100, 101, 200, 201, 204, 206, 304, 400, 404, 408, 413, 414, 415, 417, 429, 431, 500, 505, 529,
        ] {
            #expect(HTTPStatus.reason(status).description != "Unknown")
        }
        #expect(HTTPStatus.reason(299).description == "Unknown")
    }
}
