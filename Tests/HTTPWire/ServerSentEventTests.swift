import Base
import HTTPWire
import Testing

struct ServerSentEventTests {
    enum Seen: Equatable {
        case event(String, String)
        case bare(String)
        case comment(String)
        case tooLarge
        case partial
    }

    static func parse(_ pieces: [[UInt8]], limit: Int = SSEParser.defaultEventLimit) -> [Seen] {
        var parser = SSEParser(eventLimit: limit)
        var seen: [Seen] = []
        for piece in pieces {
            var position = 0
            piece.withUnsafeBytes { bytes in
                loop: while true {
                    switch parser.next(bytes, &position) {
                    case .needMore: break loop
                    case .event: seen.append(.event(text(parser.event), text(parser.data)))
                    case .eventWithoutData: seen.append(.bare(text(parser.event)))
                    case .comment: seen.append(.comment(text(parser.comment)))
                    case .tooLarge:
                        if seen.last != .tooLarge { seen.append(.tooLarge) }
                        break loop
                    }
                }
            }
        }
        if parser.endsWithinEvent && seen.last != .tooLarge { seen.append(.partial) }
        return seen
    }

    static let streams: [(String, [Seen])] = [
        ("data: a\n\n", [.event("", "a")]),
        ("data:a\r\n\r\n", [.event("", "a")]),
        ("data: a\r\r", [.event("", "a")]),
        ("data: a\rdata: b\n\r\ndata: c\r\n\n", [.event("", "a\nb"), .event("", "c")]),
        ("data:  two\n\n", [.event("", " two")]),
        ("data: a\ndata: b\ndata\n\n", [.event("", "a\nb\n")]),
        ("data\n\n", [.event("", "")]),
        ("data:\n\n", [.event("", "")]),
        ("event: x\ndata: {}\n\ndata: y\n\n", [.event("x", "{}"), .event("", "y")]),
        ("event: ping\n\ndata: y\n\n", [.bare("ping"), .event("", "y")]),
        (": hello\n\n:\n:x\ndata: a\n\n", [.comment("hello"), .comment(""), .comment("x"), .event("", "a")]),
        ("\u{FEFF}data: a\n\n", [.event("", "a")]),
        ("data: a\n\u{FEFF}data: b\n\n", [.event("", "a")]),
        ("unknown: x\ndatax: y\nDATA: z\nid\nretry: x\ndata: a\n\n", [.event("", "a")]),
        ("\n\n\r\n\r\rdata: a\n\n\n", [.event("", "a")]),
        ("data: [DONE]\n\n", [.event("", "[DONE]")]),
        ("data: grüße 👋 文字\n\n", [.event("", "grüße 👋 文字")]),
        ("data: a\n", [.partial]),
        ("data: a", [.partial]),
        ("data: a\n\nevent: x\n", [.event("", "a"), .partial]),
        ("data: a\n\n: x", [.event("", "a"), .partial]),
    ]

    @Test(arguments: streams)
    func `a stream of events is understood however it is cut`(stream: String, expected: [Seen]) {
        let bytes = Array(stream.utf8)
        #expect(Self.parse([bytes]) == expected)
        #expect(Self.parse(bytes.map { [$0] }) == expected)
        for cut in 0...bytes.count {
            #expect(Self.parse([Array(bytes[..<cut]), Array(bytes[cut...])]) == expected)
        }
    }

    @Test func `an identifier and a retry time are kept`() {
        var parser = SSEParser()
        var position = 0
        Array("id: 7\nretry: 1500\ndata: a\n\nid: a\u{0}b\n".utf8).withUnsafeBytes { bytes in
            #expect(parser.next(bytes, &position) == .event)
            #expect(parser.next(bytes, &position) == .needMore)
        }
        #expect(text(parser.identifier) == "7")
        #expect(parser.retryMilliseconds == 1500)
    }

    @Test func `an event beyond the limit ends the stream, whether in one line or many`() {
        for stream in [
            "data: " + String(repeating: "x", count: 200), ": " + String(repeating: "x", count: 200) + "\n",
            String(repeating: "data: 12345678\n", count: 20),
        ] {
            #expect(Self.parse([Array(stream.utf8)], limit: 100) == [.tooLarge])
            #expect(Self.parse(stream.utf8.map { [$0] }, limit: 100) == [.tooLarge])
        }
        let small = String(repeating: "data: 12345678\n\n", count: 100)
        #expect(Self.parse([Array(small.utf8)], limit: 100).count == 100)
    }

    @Test func `what was written is read back, and no data can forge a field`() {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SeededGenerator(seed: seed)
        let parts = [
            "data: x", "event: y", "\n", "\r", "\r\n", ":", " ", "ü", "id: 1", "", "a long piece of text",
        ]
        for _ in 0..<2000 {
            var wire: [UInt8] = []
            var expected: [Seen] = []
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let data = (0..<Int.random(in: 0...6, using: &generator))
                    .map { _ in parts.randomElement(using: &generator)! }.joined()
                let name = Bool.random(using: &generator) ? "message\n_start" : nil
                SSEWriter.append(event: name, data: Array(data.utf8), to: &wire)
                expected.append(.event(name == nil ? "" : "message_start", normalized(data)))
                if Bool.random(using: &generator) {
                    SSEWriter.append(comment: "keep\r\ndata: alive", to: &wire)
                    expected.append(.comment("keepdata: alive"))
                }
            }
            if Self.parse(generator.pieces(of: wire)) != expected {
                Issue.record("seed \(seed): \(text(wire).debugDescription)")
                return
            }
        }
    }

    @Test func `events have the form that the clients expect`() {
        var wire: [UInt8] = []
        SSEWriter.append(data: Array("{}".utf8), to: &wire)
        SSEWriter.append(event: "a", identifier: "7", data: Array("1\n2".utf8), to: &wire)
        SSEWriter.append(retryMilliseconds: 100, to: &wire)
        #expect(text(wire) == "data: {}\n\nevent: a\nid: 7\ndata: 1\ndata: 2\n\nretry: 100\n\n")
    }

    /// With every line end as one line feed.
    private func normalized(_ data: String) -> String {
        var result: [UInt8] = []
        var previous: UInt8 = 0
        for byte in data.utf8 {
            if byte == 0x0D || (byte == 0x0A && previous != 0x0D) { result.append(0x0A) }
            if byte != 0x0D && byte != 0x0A { result.append(byte) }
            previous = byte
        }
        return text(result)
    }
}
