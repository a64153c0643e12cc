import Base
import HTTPWire
import Testing

struct ChunkedTests {
    /// What a decoder makes of a body that arrives in `pieces`.
    struct Outcome: Equatable {
        var body: [UInt8] = []
        var end: ChunkedDecoder.Event = .needMore
        /// Bytes after the end of the body.
        var rest = 0
    }

    static func decode(
        _ pieces: [[UInt8]], of message: ChunkedDecoder.Message = .request
    ) -> Outcome {
        var decoder = ChunkedDecoder(message)
        var outcome = Outcome()
        for piece in pieces {
            var position = 0
            piece.withUnsafeBytes { bytes in
                while outcome.end == .needMore {
                    let event = decoder.decode(bytes, &position)
                    if case .data(let range) = event {
                        outcome.body.append(contentsOf: bytes[range])
                    } else if event == .needMore {
                        break
                    } else {
                        outcome.end = event
                    }
                }
            }
            if outcome.end == .end { outcome.rest += piece.count - position }
        }
        return outcome
    }

    static let bad: [(ChunkedFault, String)] = [
        (.invalidSize, "\r\n"),
        (.invalidSize, "g\r\n"),
        (.invalidSize, " 5\r\nhello\r\n0\r\n\r\n"),
        (.invalidSize, "5 \r\nhello\r\n0\r\n\r\n"),
        (.invalidSize, "\t5\r\nhello"),
        (.invalidSize, "+5\r\nhello"),
        (.invalidSize, "-5\r\nhello"),
        (.invalidSize, "0x5\r\nhello"),
        (.invalidSize, "5\nhello"),
        (.invalidSize, "5\rhello"),
        (.invalidSize, "5\r\r\nhello"),
        (.invalidSize, "5_\r\nhello"),
        (.invalidSize, "00000000000000005\r\nhello"),
        (.invalidSize, "10000000000000000\r\nhello"),
        (.invalidSize, "ffffffffffffffff\r\nhello"),
        (.invalidSize, "8000000000000000\r\nhello"),
        (.invalidSize, "\u{0}5\r\nhello"),
        (.extensionRefused, "5;a=b\r\nhello\r\n0\r\n\r\n"),
        (.extensionRefused, "5;\r\nhello\r\n0\r\n\r\n"),
        (.extensionRefused, "0;\n\r\n\r\n"),
        (.missingLineEnd, "5\r\nhello0\r\n\r\n"),
        (.missingLineEnd, "5\r\nhello\n0\r\n\r\n"),
        (.missingLineEnd, "5\r\nhello\r0\r\n\r\n"),
        (.missingLineEnd, "5\r\nhelloworld\r\n0\r\n\r\n"),
        (.invalidTrailer, "0\r\nX: 1\n\r\n"),
        (.invalidTrailer, "0\r\n\n"),
        (.invalidTrailer, "0\r\nX : 1\r\n\r\n"),
        (.invalidTrailer, "0\r\nX\r\n\r\n"),
        (.invalidTrailer, "0\r\n X: 1\r\n\r\n"),
        (.invalidTrailer, "0\r\nX: a\u{0}\r\n\r\n"),
        (.invalidTrailer, "0\r\nContent-Length: 5\r\n\r\n"),
        (.invalidTrailer, "0\r\nTransfer-Encoding: chunked\r\n\r\n"),
        (.invalidTrailer, "0\r\nhost: b\r\n\r\n"),
        (.invalidTrailer, "0\r\nAuthorization: x\r\n\r\n"),
        (.invalidTrailer, "0\r\nGET / HTTP/1.1\r\n\r\n"),
        (.trailersTooLarge, "0\r\nX: " + String(repeating: "v", count: 5000) + "\r\n\r\n"),
        (.trailersTooLarge, "0\r\n" + String(repeating: "X: 1\r\n", count: 700) + "\r\n"),
    ]

    static let good: [(body: String, chunked: String)] = [
        ("", "0\r\n\r\n"),
        ("hello", "5\r\nhello\r\n0\r\n\r\n"),
        ("hello", "0000000000000005\r\nhello\r\n00\r\n\r\n"),
        ("hello world", "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"),
        ("abcdefghijklmnop", "A\r\nabcdefghij\r\n06\r\nklmnop\r\n000\r\n\r\n"),
        ("\r\n0\r\n\r\n", "7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n"),
        ("x", "1\r\nx\r\n0\r\nX-Checksum: abc\r\nEtag: \"a\"\r\n\r\n"),
    ]

    @Test(arguments: bad)
    func `a chunked body that could be read in two ways is refused`(fault: ChunkedFault, body: String) {
        #expect(Self.decode([Array(body.utf8)]).end == .fault(fault))
        #expect(Self.decode(body.utf8.map { [$0] }) == Self.decode([Array(body.utf8)]))
    }

    @Test(arguments: good)
    func `a chunked body is put together, and what follows it is left alone`(body: String, chunked: String) {
        let expected = Outcome(body: Array(body.utf8), end: .end, rest: 5)
        let bytes = Array((chunked + "GET /").utf8)
        #expect(Self.decode([bytes]) == expected)
        for cut in 0...bytes.count {
            #expect(Self.decode([Array(bytes[..<cut]), Array(bytes[cut...])]) == expected)
        }
        #expect(Self.decode(bytes.map { [$0] }) == expected)
        #expect(Self.decode([Array(chunked.utf8.dropLast())]).end == .needMore)
    }

    static let kind: [(body: String, chunked: String)] =
        good + [
            ("hello", "5;a=b\r\nhello\r\n0;c\r\n\r\n"),
            ("hello", "5  \r\nhello\r\n0\t\r\n\r\n"),
            ("hello", "5 ; a=\"b\"\r\nhello\r\n0\r\nx-api-key: a trailer\r\nnonsense\r\n\r\n"),
        ]

    @Test(arguments: kind)
    func `what a server puts beside its chunks is passed over`(body: String, chunked: String) {
        let expected = Outcome(body: Array(body.utf8), end: .end, rest: 5)
        let bytes = Array((chunked + "HTTP/").utf8)
        #expect(Self.decode([bytes], of: .response) == expected)
        #expect(Self.decode(bytes.map { [$0] }, of: .response) == expected)
    }

    static let refusedInAnswers: [(fault: ChunkedFault, body: String)] =
        bad.filter { fault, body in
            fault != .extensionRefused && fault != .invalidTrailer && body != "5 \r\nhello\r\n0\r\n\r\n"
        } + [
            (.invalidSize, "5;a\nhello\r\n"),
            (.invalidSize, "5;" + String(repeating: "a", count: 300) + "\r\nhello"),
            (.invalidTrailer, "0\r\nX: 1\n\r\n"),
        ]

    @Test(arguments: refusedInAnswers)
    func `a server's chunks have to end where their sizes say`(fault: ChunkedFault, body: String) {
        #expect(Self.decode([Array(body.utf8)], of: .response).end == .fault(fault))
        #expect(Self.decode(body.utf8.map { [$0] }, of: .response).end == .fault(fault))
    }

    @Test func `what was written in chunks is read back, however it is cut`() {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            var body: [UInt8] = []
            var wire: [UInt8] = []
            for _ in 0..<Int.random(in: 0...5, using: &generator) {
                let size = [0, 1, 15, 16, 17, 255, 256, 4096].randomElement(using: &generator)!
                let piece = (0..<size).map { _ in UInt8.random(in: 0...255, using: &generator) }
                body += piece
                ChunkedEncoder.append(piece, to: &wire)
            }
            ChunkedEncoder.appendEnd(to: &wire)
            let outcome = Self.decode(generator.pieces(of: wire))
            if outcome != Outcome(body: body, end: .end) {
                Issue.record("seed \(seed)")
                return
            }
        }
    }
}
