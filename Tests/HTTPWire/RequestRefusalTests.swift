import HTTPWire
import Testing

/// Shapes of requests that two servers could read differently (RFC 9112, 11.2 and the published families of
/// request smuggling), and other requests that must not be served. Each stands with the fault it must meet.
struct RequestRefusalTests {
    static let framing: [(RequestFault, String)] = [
        (.contentLengthWithTransferEncoding, "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n"),
        (.contentLengthWithTransferEncoding, "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n"),
        (.contentLengthWithTransferEncoding, "content-length: 0\r\ntransfer-encoding: CHUNKED\r\n"),
        (.duplicateContentLength, "Content-Length: 6\r\nContent-Length: 5\r\n"),
        (.duplicateContentLength, "Content-Length: 5\r\nContent-Length: 5\r\n"),
        (.duplicateContentLength, "Content-Length: 5\r\ncontent-length: 0\r\n"),
        (.invalidContentLength, "Content-Length: 5, 5\r\n"),
        (.invalidContentLength, "Content-Length: 5,6\r\n"),
        (.invalidContentLength, "Content-Length: +5\r\n"),
        (.invalidContentLength, "Content-Length: -5\r\n"),
        (.invalidContentLength, "Content-Length: 0x5\r\n"),
        (.invalidContentLength, "Content-Length: 5a\r\n"),
        (.invalidContentLength, "Content-Length: 5 5\r\n"),
        (.invalidContentLength, "Content-Length: 5.0\r\n"),
        (.invalidContentLength, "Content-Length: \"5\"\r\n"),
        (.invalidContentLength, "Content-Length: 005\r\n"),
        (.invalidContentLength, "Content-Length:\r\n"),
        (.invalidContentLength, "Content-Length: \t \r\n"),
        (.invalidContentLength, "Content-Length: 18446744073709551616\r\n"),
        (.invalidContentLength, "Content-Length: 9223372036854775808\r\n"),
        (.invalidContentLength, "Content-Length: 18446744073709551621\r\n"),
        (.invalidContentLength, "Content-Length: ٥\r\n"),
        (.unsupportedTransferEncoding, "Transfer-Encoding: identity\r\n"),
        (.unsupportedTransferEncoding, "Transfer-Encoding: xchunked\r\n"),
        (.unsupportedTransferEncoding, "Transfer-Encoding: chunked, chunked\r\n"),
        (.unsupportedTransferEncoding, "Transfer-Encoding: gzip, chunked\r\n"),
        (.unsupportedTransferEncoding, "Transfer-Encoding: chunked, identity\r\n"),
        (.unsupportedTransferEncoding, "Transfer-Encoding: chunked;q=1\r\n"),
        (.unsupportedTransferEncoding, "Transfer-Encoding: \"chunked\"\r\n"),
        (.unsupportedTransferEncoding, "Transfer-Encoding: 'chunked'\r\n"),
        (.unsupportedTransferEncoding, "Transfer-Encoding: chunk\r\n"),
        (.unsupportedTransferEncoding, "Transfer-Encoding: chunked,\r\n"),
        (.unsupportedTransferEncoding, "Transfer-Encoding:\r\n"),
        (.unsupportedTransferEncoding, "Transfer-Encoding: cow\r\nTransfer-Encoding: chunked\r\n"),
        (.duplicateTransferEncoding, "Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n"),
        (.duplicateTransferEncoding, "Transfer-Encoding: chunked\r\nTransfer-encoding: chunked\r\n"),
        (.controlInFieldValue, "Transfer-Encoding:\u{0B}chunked\r\n"),
        (.controlInFieldValue, "Transfer-Encoding: \u{0}chunked\r\n"),
        (.controlInFieldValue, "Transfer-Encoding: chunked\u{0C}\r\n"),
        (.spaceBeforeColon, "Transfer-Encoding : chunked\r\n"),
        (.spaceBeforeColon, "Content-Length\t: 5\r\n"),
        (.foldedField, " Transfer-Encoding: chunked\r\n"),
        (.foldedField, "X: 1\r\n Transfer-Encoding: chunked\r\n"),
        (.foldedField, "X:\r\n chunked\r\n"),
        (.bareLineFeed, "X: 1\nTransfer-Encoding: chunked\r\n"),
        (.bareLineFeed, "Transfer-Encoding\n: chunked\r\n"),
        (.bareLineFeed, "X: 1\r\n\nGET /admin HTTP/1.1\r\n"),
        (.bareCarriageReturn, "X: 1\rTransfer-Encoding: chunked\r\n"),
        (.bareCarriageReturn, "\rTransfer-Encoding: chunked\r\n"),
        (.bareCarriageReturn, "X: 1\r\r\n"),
        (.fieldWithoutColon, "Transfer-Encoding\r\n"),
        (.emptyFieldName, ": chunked\r\n"),
        (.invalidFieldName, "Transfer\u{0}-Encoding: chunked\r\n"),
        (.invalidFieldName, "Träger: 1\r\n"),
        (.invalidFieldName, "Content(Length): 1\r\n"),
        (.invalidFieldName, "\"Content-Length\": 1\r\n"),
        (.invalidFieldName, "\u{7F}X: 1\r\n"),
        (.invalidFieldName, "@X: 1\r\n"),
        (.controlInFieldValue, "X: a\u{0}b\r\n"),
        (.controlInFieldValue, "X: a\u{1}b\r\n"),
        (.controlInFieldValue, "X: \u{1B}[31m\r\n"),
        (.controlInFieldValue, "X: 12345678901234567890\u{7F}\r\n"),
        (.duplicateHost, "Host: b\r\n"),
        (.duplicateHost, "host: a\r\n"),
    ]

    static let hosts: [(RequestFault, String)] = [
        (.missingHost, ""),
        (.missingHost, "X-Host: a\r\n"),
        (.invalidHost, "Host:\r\n"),
        (.invalidHost, "Host:   \r\n"),
        (.invalidHost, "Host: a b\r\n"),
        (.invalidHost, "Host: a, b\r\n"),
        (.invalidHost, "Host: a/b\r\n"),
        (.invalidHost, "Host: a?b\r\n"),
        (.invalidHost, "Host: a#b\r\n"),
        (.invalidHost, "Host: user@a\r\n"),
        (.invalidHost, "Host: a:b\r\n"),
        (.invalidHost, "Host: a:\r\n"),
        (.invalidHost, "Host: a:0\r\n"),
        (.invalidHost, "Host: a:65536\r\n"),
        (.invalidHost, "Host: a:80:80\r\n"),
        (.invalidHost, "Host: a:+80\r\n"),
        (.invalidHost, "Host: :80\r\n"),
        (.invalidHost, "Host: a%00\r\n"),
        (.invalidHost, "Host: http://a\r\n"),
        (.invalidHost, "Host: [::1\r\n"),
        (.invalidHost, "Host: ::1\r\n"),
        (.invalidHost, "Host: [::1]x\r\n"),
        (.invalidHost, "Host: [g::1]\r\n"),
        (.invalidHost, "Host: []\r\n"),
        (.invalidHost, "Host: bücher\r\n"),
        (.invalidHost, "Host: " + String(repeating: "a", count: 300) + "\r\n"),
    ]

    static let lines: [(RequestFault, String)] = [
        (.malformedRequestLine, "GET /\r\n"),
        (.malformedRequestLine, "GET\r\n"),
        (.malformedRequestLine, " GET / HTTP/1.1\r\n"),
        (.malformedRequestLine, "\r\n\r\nGET / HTTP/1.1\r\n"),
        (.malformedRequestLine, "GET  HTTP/1.1\r\n"),
        (.malformedRequestLine, "\u{16}\u{03}\u{01}"),
        (.malformedRequestLine, "\u{0}"),
        (.malformedMethod, "G(T / HTTP/1.1\r\n"),
        (.malformedMethod, "GET\t/ HTTP/1.1\r\n"),
        (.malformedMethod, "GET\u{0} / HTTP/1.1\r\n"),
        (.bareLineFeed, "GET / HTTP/1.1\n"),
        (.bareLineFeed, "\nGET / HTTP/1.1\r\n"),
        (.malformedVersion, "GET  / HTTP/1.1\r\n"),
        (.malformedVersion, "GET / HTTP/1.1 \r\n"),
        (.malformedVersion, "GET /  HTTP/1.1\r\n"),
        (.malformedVersion, "GET / x HTTP/1.1\r\n"),
        (.malformedVersion, "GET / http/1.1\r\n"),
        (.malformedVersion, "GET / HTTP/1\r\n"),
        (.malformedVersion, "GET / HTTP/1.1\r\r\n"),
        (.malformedVersion, "GET / HTTP/11.1\r\n"),
        (.malformedVersion, "GET / HTTP/1.10\r\n"),
        (.malformedVersion, "GET / HTTP/+1.1\r\n"),
        (.malformedVersion, "GET / HTTPS/1.1\r\n"),
        (.malformedVersion, "GET / ICY/1.1\r\n"),
        (.unsupportedVersion, "GET / HTTP/0.9\r\n"),
        (.unsupportedVersion, "GET / HTTP/1.2\r\n"),
        (.unsupportedVersion, "GET / HTTP/3.0\r\n"),
        (.unsupportedVersion, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        (.unknownMethod, "CONNECT a:443 HTTP/1.1\r\n"),
        (.unknownMethod, "TRACE / HTTP/1.1\r\n"),
        (.unknownMethod, "get / HTTP/1.1\r\n"),
        (.unknownMethod, "PROPFIND / HTTP/1.1\r\n"),
        (.unknownMethod, "GETT / HTTP/1.1\r\n"),
        (.malformedTarget, "GET a HTTP/1.1\r\n"),
        (.malformedTarget, "GET a:443 HTTP/1.1\r\n"),
        (.malformedTarget, "GET * HTTP/1.1\r\n"),
        (.malformedTarget, "OPTIONS ** HTTP/1.1\r\n"),
        (.malformedTarget, "GET ftp://a/ HTTP/1.1\r\n"),
        (.malformedTarget, "GET http:/a HTTP/1.1\r\n"),
        (.malformedTarget, "GET /#x HTTP/1.1\r\n"),
        (.malformedTarget, "GET /?a#x HTTP/1.1\r\n"),
        (.malformedTarget, "GET /\u{1} HTTP/1.1\r\n"),
        (.malformedTarget, "GET /\u{7F} HTTP/1.1\r\n"),
        (.malformedTarget, "GET /\u{0} HTTP/1.1\r\n"),
        (.malformedTarget, "GET /ä HTTP/1.1\r\n"),
        (.malformedTarget, "GET /\t HTTP/1.1\r\n"),
        (.malformedTarget, "GET /\\ HTTP/1.1\r\n"),
        (.malformedTarget, "GET /<a> HTTP/1.1\r\n"),
        (.malformedTarget, "GET /\" HTTP/1.1\r\n"),
        (.malformedTarget, "GET /%zz HTTP/1.1\r\n"),
        (.malformedTarget, "GET /%2 HTTP/1.1\r\n"),
        (.malformedTarget, "GET /% HTTP/1.1\r\n"),
        (.malformedTarget, "GET /%00 HTTP/1.1\r\n"),
        (.malformedTarget, "GET /?%0 HTTP/1.1\r\n"),
    ]

    static let absolute: [(RequestFault, String)] = [
        (.hostMismatch, "GET http://b/ HTTP/1.1\r\nHost: a\r\n"),
        (.hostMismatch, "GET http://a:80/ HTTP/1.1\r\nHost: a\r\n"),
        (.invalidHost, "GET http:/// HTTP/1.1\r\nHost: a\r\n"),
        (.invalidHost, "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n"),
        (.missingHost, "GET http://a/ HTTP/1.1\r\n"),
        (.transferEncodingInHTTP10, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n"),
        (.duplicateHost, "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n"),
        (.invalidHost, "GET / HTTP/1.0\r\nHost: a b\r\n"),
    ]

    /// Every shape as a whole request.
    static let all: [(fault: RequestFault, request: String)] =
        framing.map { ($0.0, "POST / HTTP/1.1\r\nHost: a\r\n" + $0.1 + "\r\n") }
        + hosts.map { ($0.0, "GET / HTTP/1.1\r\n" + $0.1 + "\r\n") }
        + lines.map { ($0.0, $0.1 + "Host: a\r\n\r\n") } + absolute.map { ($0.0, $0.1 + "\r\n") }

    @Test(arguments: all)
    func `a request that could be read in two ways is refused`(fault: RequestFault, request: String) {
        var parser = RequestHeadParser()
        #expect(parser.parse(Array(request.utf8)) == .fault(fault), "\(request.debugDescription)")
    }

    @Test(arguments: all)
    func `it is refused for the same reason when it drips in`(fault: RequestFault, request: String) {
        #expect(parseByteByByte(Array(request.utf8)) == .fault(fault), "\(request.debugDescription)")
    }

    @Test func `every control character is refused in a value, a name and a target`() {
        for control in Array(0...0x1F) + [0x7F] where control != 0x09 {
            for place in 0..<20 {
                var value = [UInt8](repeating: 0x61, count: 20)
                value[place] = UInt8(control)
                expectFault(Array("GET / HTTP/1.1\r\nHost: a\r\nX: b".utf8) + value + Array("c\r\n\r\n".utf8))
                expectFault(Array("GET / HTTP/1.1\r\nHost: a\r\nX".utf8) + value + Array("c: 1\r\n\r\n".utf8))
                expectFault(Array("GET /".utf8) + value + Array(" HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
            }
        }
    }

    @Test func `too many fields, too large fields and too long targets have their own answers`() {
        let start = "GET / HTTP/1.1\r\nHost: a\r\n"
        let hundred = start + String(repeating: "X: 1\r\n", count: 99) + "\r\n"
        expectHead(hundred)
        expectFault(start + String(repeating: "X: 1\r\n", count: 100) + "\r\n", .tooManyFields, 431)

        // "Host: a" and its line end are 9 bytes, "X: " and the line end 5, and the empty line 2.
        expectHead(start + "X: " + String(repeating: "v", count: 16 * 1024 - 16) + "\r\n\r\n")
        expectFault(
            start + "X: " + String(repeating: "v", count: 16 * 1024 - 15) + "\r\n\r\n", .fieldsTooLarge, 431)
        expectFault(start + "X: " + String(repeating: "v", count: 17 * 1024), .fieldsTooLarge, 431)

        let longest = "/" + String(repeating: "p", count: 8 * 1024 - 1)
        expectHead("GET \(longest) HTTP/1.1\r\nHost: a\r\n\r\n")
        expectFault("GET \(longest)p HTTP/1.1\r\nHost: a\r\n\r\n", .targetTooLong, 414)
        expectFault("GET \(longest)" + String(repeating: "p", count: 1000), .targetTooLong, 414)
        expectFault(String(repeating: "G", count: 9000), .targetTooLong, 414)
    }

    @Test func `every fault has a status of its class and a sentence for the client`() {
        for fault in RequestFault.allCases {
            #expect([400, 414, 431, 501, 505].contains(fault.status))
            #expect(fault.reason.description.hasSuffix("."))
        }
        #expect(Set(RequestFault.allCases.map(\.reason.description)).count == RequestFault.allCases.count)
    }

    private func expectHead(_ request: String) {
        var parser = RequestHeadParser()
        guard case .head = parser.parse(Array(request.utf8)) else {
            Issue.record("refused: \(request.prefix(60).debugDescription)…")
            return
        }
    }

    private func expectFault(_ request: String, _ fault: RequestFault, _ status: Int) {
        var parser = RequestHeadParser()
        #expect(parser.parse(Array(request.utf8)) == .fault(fault))
        #expect(fault.status == status)
        #expect(parseByteByByte(Array(request.utf8)) == .fault(fault))
    }

    private func expectFault(_ request: [UInt8]) {
        var parser = RequestHeadParser()
        guard case .fault = parser.parse(request) else {
            Issue.record("accepted: \(text(request).debugDescription)")
            return
        }
    }
}

/// The first answer that is not "more", with the bytes handed over one more at a time.
func parseByteByByte(_ request: [UInt8]) -> RequestHeadProgress {
    var parser = RequestHeadParser()
    return request.withUnsafeBytes { bytes in
        for count in 1...max(1, bytes.count) {
            let progress = parser.parse(UnsafeRawBufferPointer(rebasing: bytes[..<min(count, bytes.count)]))
            if progress != .needMore { return progress }
        }
        return .needMore
    }
}
