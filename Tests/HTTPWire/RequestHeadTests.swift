import Base
import HTTPWire
import Testing

struct RequestHeadTests {
    struct Good: Sendable {
        var request: String
        var method = HTTPMethod.get
        var path = "/"
        var query: String?
        var framing = RequestHead.BodyFraming.none
        var keepsAlive = true
    }

    static let good: [Good] = [
        Good(request: "GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        Good(request: "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        Good(request: "GET / HTTP/1.1\r\nhost:a\r\n\r\n"),
        Good(request: "GET / HTTP/1.1\r\nHOST:  a:8080\t \r\n\r\n"),
        Good(request: "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n"),
        Good(request: "GET / HTTP/1.1\r\nHost: [::ffff:127.0.0.1]\r\n\r\n"),
        Good(request: "GET / HTTP/1.1\r\nHost: a_b-c.example~1\r\n\r\n"),
        Good(request: "GET / HTTP/1.0\r\n\r\n", keepsAlive: false),
        Good(request: "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"),
        Good(request: "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", keepsAlive: false),
        Good(request: "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", keepsAlive: false),
        Good(request: "GET / HTTP/1.1\r\nHost: a\r\nConnection: x , CLOSE\r\n\r\n", keepsAlive: false),
        Good(request: "GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n"),
        Good(request: "GET /v1/models?a=b&c HTTP/1.1\r\nHost: a\r\n\r\n", path: "/v1/models", query: "a=b&c"),
        Good(request: "GET /? HTTP/1.1\r\nHost: a\r\n\r\n", query: ""),
        Good(request: "GET /a?b?c=/d HTTP/1.1\r\nHost: a\r\n\r\n", path: "/a", query: "b?c=/d"),
        Good(request: "GET /a%2Fb%C3%A4 HTTP/1.1\r\nHost: a\r\n\r\n", path: "/a%2Fb%C3%A4"),
        Good(request: "GET //a/../b HTTP/1.1\r\nHost: a\r\n\r\n", path: "//a/../b"),
        Good(
            request: "GET /m:gen!$&'()*+,;=@~ HTTP/1.1\r\nHost: a\r\n\r\n", path: "/m:gen!$&'()*+,;=@~"),
        Good(request: "GET /?f[0]={x}|^` HTTP/1.1\r\nHost: a\r\n\r\n", query: "f[0]={x}|^`"),
        Good(request: "GET http://a/x?y HTTP/1.1\r\nHost: A\r\n\r\n", path: "/x", query: "y"),
        Good(request: "GET HTTPS://a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"),
        Good(request: "GET http://a?y HTTP/1.1\r\nHost: a\r\n\r\n", query: "y"),
        Good(request: "GET http://a/x HTTP/1.0\r\n\r\n", path: "/x", keepsAlive: false),
        Good(request: "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", method: .options, path: "*"),
        Good(
            request: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", method: .post,
            framing: .length(5)),
        Good(
            request: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\t999999999999999999 \r\n\r\n",
            method: .post,
            framing: .length(999_999_999_999_999_999)),
        Good(request: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", method: .post),
        Good(
            request: "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n", method: .put,
            framing: .chunked),
        Good(request: "PATCH / HTTP/1.1\r\nHost: a\r\n\r\n", method: .patch),
        Good(request: "DELETE / HTTP/1.1\r\nHost: a\r\n\r\n", method: .delete),
        Good(request: "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", method: .head),
        Good(request: "GET / HTTP/1.1\r\nHost: a\r\nX:\r\nY: \t\r\nZ: a\tb \u{80}é\r\n\r\n"),
        Good(request: "GET / HTTP/1.1\r\nHost: a\r\nContent_Length: 7\r\nX-Transfer-Encoding: y\r\n\r\n"),
    ]

    @Test(arguments: good)
    func `an honest request is understood`(good: Good) throws {
        var parser = RequestHeadParser()
        let bytes = Array(good.request.utf8)
        guard case .head(let head, let consumed) = parser.parse(bytes) else {
            Issue.record("refused: \(good.request.debugDescription)")
            return
        }
        #expect(head.method == good.method)
        #expect(text(head.path) == good.path)
        #expect(head.query.map(text) == good.query)
        #expect(head.framing == good.framing)
        #expect(head.keepsAlive == good.keepsAlive)
        #expect(text(bytes[..<consumed]).hasSuffix("\r\n\r\n"))
    }

    @Test func `a field is found by its name in any case, and absent ones are not`() throws {
        let head = try #require(
            parsed(
                "GET / HTTP/1.1\r\nHost: a\r\nAuthorization:  Bearer x \r\nX-Tag: 1\r\nx-tag: 2\r\n\r\n"))
        #expect(head.fields.string("authorization") == "Bearer x")
        #expect(head.fields.string("AUTHORIZATION") == "Bearer x")
        #expect(head.fields.string("authorizatio") == nil)
        #expect(head.fields.values("X-TAG").map(text) == ["1", "2"])
        #expect(head.fields.count == 4)
        #expect(head.fields.pairs.map(\.name) == ["Host", "Authorization", "X-Tag", "x-tag"])
        #expect(head.host.map(text) == "a")
    }

    @Test(arguments: [
        ("", RequestHead.Expectation.none),
        ("Expect: 100-continue\r\n", .continues),
        ("Expect: 100-Continue\r\n", .continues),
        ("Expect: 200-maybe\r\n", .unsupported),
        ("Expect: 100-continue\r\nExpect: x\r\n", .unsupported),
        ("Expect: x\r\nExpect: 100-continue\r\n", .unsupported),
    ])
    func `an expectation is recognised`(lines: String, expectation: RequestHead.Expectation) throws {
        let head = try #require(parsed("POST / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n"))
        #expect(head.expectation == expectation)
    }

    @Test(arguments: [("gzip", true), ("br, gzip", true), ("identity", false), ("", false)])
    func `a body in a content coding is recognised`(coding: String, isCoded: Bool) throws {
        let head = try #require(parsed("POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: \(coding)\r\n\r\n"))
        #expect(head.hasContentCoding == isCoded)
    }

    @Test func `requests that arrive together are taken one after the other`() {
        let first = "POST /a HTTP/1.1\r\nHost: a\r\n\r\n"
        let second = "\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n"
        let bytes = Array((first + second).utf8)
        var parser = RequestHeadParser()
        guard case .head(let one, let consumed) = parser.parse(bytes),
            case .head(let two, let rest) = parser.parse(Array(bytes[consumed...]))
        else {
            Issue.record("refused")
            return
        }
        #expect(text(one.path) == "/a" && text(two.path) == "/b")
        #expect(consumed + rest == bytes.count)
        #expect(!parser.hasBegun)
    }

    @Test func `however a request is cut in two, the answer is the same`() {
        let requests = Self.good.map(\.request) + RequestRefusalTests.all.map(\.request)
        for request in requests {
            let bytes = Array(request.utf8)
            var whole = RequestHeadParser()
            let expected = whole.parse(bytes)
            #expect(parseByteByByte(bytes) == expected, "\(request.debugDescription)")
            for cut in 0...bytes.count {
                var parser = RequestHeadParser()
                let early = parser.parse(Array(bytes[..<cut]))
                let answer = early == .needMore ? parser.parse(bytes) : early
                if answer != expected { Issue.record("\(request.debugDescription) cut at \(cut): \(answer)") }
            }
        }
    }

    @Test func `random damage never changes the answer between one piece and many`() {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SeededGenerator(seed: seed)
        let requests = Self.good.map(\.request) + RequestRefusalTests.all.map(\.request)
        for _ in 0..<20_000 {
            var bytes = Array(requests.randomElement(using: &generator)!.utf8)
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.insert([0, 9, 10, 13, 32, 58].randomElement(using: &generator)!, at: place)
                default: bytes.removeSubrange(place..<min(bytes.count, place + 2))
                }
                if bytes.isEmpty { bytes = [0] }
            }
            var parser = RequestHeadParser()
            if parser.parse(bytes) != parseByteByByte(bytes) {
                Issue.record("seed \(seed): \(text(bytes).debugDescription)")
                return
            }
        }
    }

    @Test func `a head that drips in byte by byte is looked at once, not once a byte`() {
        // 16 KB in single bytes: a parser that began again each time would look at 134 million bytes.
        let limits = RequestHeadLimits()
        let request = Array(
            ("GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "v", count: limits.fieldBytes - 100)
                + "\r\n\r\n").utf8)
        let clock = ContinuousClock()
        let elapsed = clock.measure {
            guard case .head = parseByteByByte(request) else {
                Issue.record("refused")
                return
            }
        }
        #expect(elapsed < .seconds(2))
    }

    private func parsed(_ request: String) -> RequestHead? {
        var parser = RequestHeadParser()
        guard case .head(let head, _) = parser.parse(Array(request.utf8)) else { return nil }
        return head
    }

    /// What the client of a connection says, again and again: with other lengths, with faults, behind one another.
    @Test func `a head is read as if none had come before it`() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        let lengths = ["0", "5", "7", "12", "99", "05", "1x", " 9", "100", "-1", ""]
        func another() -> [UInt8] {
            var text = RequestHeadTests.good[Int.random(in: 0..<RequestHeadTests.good.count, using: &random)]
                .request
            if Bool.random(using: &random) {
                let length = lengths[Int.random(in: 0..<lengths.count, using: &random)]
                text =
                    "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer k\r\n"
                    + "Content-Length: \(length)\r\nAccept: */*\r\n\r\n"
            }
            return Array(text.utf8)
        }
        var parser = RequestHeadParser()
        var repetitions = 0
        var before = another()
        for round in 0..<20_000 {
            var bytes = Int.random(in: 0..<3, using: &random) == 0 ? another() : before
            before = bytes
            switch Int.random(in: 0..<6, using: &random) {
            case 0:
                let place = Int.random(in: 0..<bytes.count, using: &random)
                bytes[place] = UInt8.random(in: 0x20...0x7F, using: &random)
            case 1: bytes += another()
            case 2: bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
            default: break
            }
            var fresh = RequestHeadParser()
            let expected = fresh.parse(bytes)
            #expect(parser.parse(bytes) == expected, "seed \(seed), round \(round): \(text(bytes))")
            // Only who has given out a head reads another.
            if case .head = expected { repetitions += 1 } else { parser = RequestHeadParser() }
        }
        #expect(repetitions > 5000)
    }
}
