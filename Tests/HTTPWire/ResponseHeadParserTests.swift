import Base
import HTTPWire
import Testing

struct ResponseHeadParserTests {
    struct Good: Sendable {
        var answer: String
        var status = 200
        var framing = ResponseFraming.untilClose
        var keepsAlive = false
    }

    static let good: [Good] = [
        Good(answer: "HTTP/1.1 200 OK\r\n\r\n"),
        Good(answer: "HTTP/1.1 200\r\n\r\n"),
        Good(answer: "HTTP/1.1 200 \r\n\r\n"),
        Good(answer: "HTTP/1.1 299 Überall gut\r\n\r\n", status: 299),
        Good(answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", framing: .length(2), keepsAlive: true),
        Good(answer: "HTTP/1.1 200 OK\r\ncontent-length:0\r\n\r\n", framing: .length(0), keepsAlive: true),
        Good(
            answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n", framing: .length(2),
            keepsAlive: true),
        Good(
            answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n", framing: .chunked,
            keepsAlive: true),
        Good(
            answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n",
            framing: .chunked),
        Good(
            answer: "HTTP/1.1 503 Busy\r\nConnection: x, Close\r\nContent-Length: 2\r\n\r\n", status: 503,
            framing: .length(2)),
        Good(answer: "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n", framing: .length(2)),
        Good(
            answer: "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\n",
            framing: .length(2), keepsAlive: true),
        Good(answer: "HTTP/1.1 204 No Content\r\n\r\n", status: 204, framing: .none, keepsAlive: true),
        Good(
            answer: "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", status: 304, framing: .none,
            keepsAlive: true),
        Good(answer: "HTTP/2 200 \r\n\r\n"),
        Good(answer: "HTTP/1.1 200 OK\nContent-Length: 2\n\n", framing: .length(2), keepsAlive: true),
        Good(
            answer: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nContent-Length: 7\r\n"
                + "Connection: close\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n",
            status: 201, framing: .length(2), keepsAlive: true),
    ]

    private func parse(_ bytes: [UInt8], inPiecesOf size: Int) -> ResponseHeadParser.Progress {
        var parser = ResponseHeadParser()
        var progress = ResponseHeadParser.Progress.needMore
        var end = 0
        while progress == .needMore, end < bytes.count {
            end = min(end + size, bytes.count)
            progress = bytes[..<end].withUnsafeBytes { parser.parse($0) }
        }
        return progress
    }

    @Test(arguments: good)
    func `an honest answer is understood, however it is cut`(good: Good) {
        let bytes = Array(good.answer.utf8) + Array("rest".utf8)
        for size in 1...bytes.count {
            guard case .head(let head, let consumed) = parse(bytes, inPiecesOf: size) else {
                Issue.record("refused: \(good.answer.debugDescription)")
                return
            }
            #expect(consumed == bytes.count - 4)
            #expect(head.status == good.status)
            #expect(head.framing == good.framing)
            #expect(head.keepsAlive == good.keepsAlive)
        }
    }

    @Test func `the fields are those of the answer, not of the interim ones before it`() throws {
        let text =
            "HTTP/1.1 103 Early\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nX-Thing: \t a b \r\nEmpty:\r\n\r\n"
        var parser = ResponseHeadParser()
        guard case .head(let head, _) = Array(text.utf8).withUnsafeBytes({ parser.parse($0) }) else {
            Issue.record("refused")
            return
        }
        #expect(head.fields.pairs.map { "\($0.name)=\($0.value)" } == ["X-Thing=a b", "Empty="])
        #expect(head.fields.string("x-thing") == "a b")
        #expect(head.fields.string("link") == nil)
    }

    static let bad: [(ResponseFault, String)] = [
        (.malformedStatusLine, "SSH-2.0-OpenSSH_9.2\r\n"),
        (.malformedStatusLine, "\u{16}\u{3}\u{1}"),
        (.malformedStatusLine, "\r\nHTTP/1.1 200 OK\r\n"),
        (.malformedStatusLine, "HTTP/1.1\r\n"),
        (.malformedStatusLine, "HTTP/1.1 20\r\n"),
        (.malformedStatusLine, "HTTP/1.1 2000 OK\r\n"),
        (.malformedStatusLine, "HTTP/1.1 2x0 OK\r\n"),
        (.malformedStatusLine, "HTTP/1.1 099 OK\r\n"),
        (.malformedStatusLine, "HTTP/1.1  200 OK\r\n"),
        (.malformedStatusLine, "HTTP/9.1 200 OK\r\n"),
        (.malformedStatusLine, "HTTP/11 200 OK\r\n"),
        (.malformedStatusLine, "HTTP/ 200 OK\r\n"),
        (.unaskedUpgrade, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"),
        (.invalidContentLength, "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n"),
        (.invalidContentLength, "HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n"),
        (.invalidContentLength, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n"),
        (.invalidContentLength, "HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999999\r\n"),
        (.unsupportedTransferEncoding, "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n"),
        (.unsupportedTransferEncoding, "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n"),
        (
            .unsupportedTransferEncoding,
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"
        ),
        (.malformedField(.fieldWithoutColon), "HTTP/1.1 200 OK\r\nNothing\r\n"),
        (.malformedField(.spaceBeforeColon), "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n"),
        (.malformedField(.foldedField), "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n"),
        (.malformedField(.controlInFieldValue), "HTTP/1.1 200 OK\r\nX: a\u{0}b\r\n"),
        (.malformedField(.bareCarriageReturn), "HTTP/1.1 200 OK\r\nX: a\rY: b\r\n"),
        (.tooLarge, "HTTP/1.1 200 OK\r\nX: " + String(repeating: "x", count: 64 * 1024)),
        (.tooLarge, String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: 3000)),
    ]

    @Test(arguments: bad)
    func `an answer whose end nobody can know is refused, however it is cut`(
        fault: ResponseFault, answer: String
    ) {
        let bytes = Array(answer.utf8)
        for size in [1, 2, 3, 1000, bytes.count] where bytes.count / size < 30_000 {
            #expect(parse(bytes, inPiecesOf: size) == .fault(fault))
        }
    }

    @Test func `a request's head has its fields and its length, and cannot be split`() throws {
        var output = Array("before ".utf8)
        try RequestHeadWriter.append(
            "POST", "/v1?a=b", ["Host": "a:1", "X": "1"], framing: .length(12), to: &output)
        #expect(
            text(output) == "before POST /v1?a=b HTTP/1.1\r\nHost: a:1\r\nX: 1\r\nContent-Length: 12\r\n\r\n")
        let refused: [HTTPFields] = [
            ["X": "a\r\nHost: b"], ["a b": "1"], ["content-length": "1"], ["Transfer-Encoding": "chunked"],
        ]
        for fields in refused {
            #expect(throws: HTTPFields.FieldFault.self) {
                try RequestHeadWriter.append("GET", "/", fields, framing: .none, to: &output)
            }
        }
        #expect(text(output).hasSuffix("12\r\n\r\n"))
    }
}
