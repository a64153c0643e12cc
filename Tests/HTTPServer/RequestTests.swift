import Base
import HTTPServer
import HTTPWire
import Loop
import Testing

@Suite(.timeLimit(.minutes(2)))
struct RequestTests {
    struct Broken: Error {}

    @Test(arguments: Wire.allCases)
    func `a request is answered, and the connection serves the next`(wire: Wire) async throws {
        try await withServer(wire, [hello]) { fixture in
            let client = try fixture.connect()
            for _ in 0..<3 {
                try await client.send(get("/hello"))
                let response = try await client.response()
                #expect(response.status == 200)
                #expect(response.text == "hello")
                #expect(response.fields["content-type"] == "text/plain")
                #expect(response.fields["date"]?.hasSuffix(" GMT") == true)
                #expect(response.fields["connection"] == nil)
            }
        }
    }

    @Test(arguments: Wire.allCases)
    func `a request may come byte by byte`(wire: Wire) async throws {
        try await withServer(wire, [hello, echo]) { fixture in
            let client = try fixture.connect()
            for byte in (get("/hello") + post("/echo", "body")).utf8 {
                try await client.send([byte])
                try await fixture.loop.sleep(for: .microseconds(10))
            }
            #expect(try await client.response().text == "hello")
            #expect(try await client.response().text == "body")
        }
    }

    @Test(arguments: Wire.allCases)
    func `requests sent together are answered in their order`(wire: Wire) async throws {
        let slow = route(.get, "/slow/{n}") { exchange in
            try await exchange.loop.sleep(for: .milliseconds(5))
            exchange.respond(200, body: Array((exchange.parameters["n"] ?? "").utf8))
        }
        let fast = route(.get, "/fast/{n}") { exchange in
            exchange.respond(200, body: Array((exchange.parameters["n"] ?? "").utf8))
        }
        try await withServer(wire, [slow, fast, echo]) { fixture in
            let client = try fixture.connect()
            var requests = ""
            for number in 0..<300 {
                switch number % 50 {
                case 0: requests += get("/slow/\(number)")
                case 1: requests += post("/echo", "\(number)")
                default: requests += get("/fast/\(number)")
                }
            }
            try await client.send(requests)
            for number in 0..<300 { #expect(try await client.response().text == "\(number)") }
        }
    }

    @Test(arguments: Wire.allCases)
    func `HEAD has the fields of GET and no body`(wire: Wire) async throws {
        let stream = route(.get, "/stream") { exchange in
            let stream = try await exchange.stream(200)
            try await stream.write("abc")
        }
        try await withServer(wire, [hello, stream]) { fixture in
            let client = try fixture.connect()
            try await client.send("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n")
            try await client.send("HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n")
            try await client.send(get("/hello"))
            let response = try await client.response(toHead: true)
            #expect(response.status == 200)
            #expect(response.fields["content-length"] == "5")
            #expect(try await client.response(toHead: true).fields["transfer-encoding"] == "chunked")
            #expect(try await client.response().text == "hello")
        }
    }

    @Test(arguments: Wire.allCases)
    func `what is not there, not allowed or only asked about has its answer`(wire: Wire) async throws {
        try await withServer(wire, [hello, echo]) { fixture in
            let client = try fixture.connect()
            try await client.send(get("/nothing"))
            let missing = try await client.response()
            #expect(missing.status == 404)
            #expect(missing.text.contains("\"code\":\"not_found\""))
            try await client.send(post("/hello", "x"))
            let wrong = try await client.response()
            #expect(wrong.status == 405)
            #expect(wrong.fields["allow"] == "GET, HEAD, OPTIONS")
            try await client.send(
                "OPTIONS /echo HTTP/1.1\r\nHost: a\r\n\r\nOPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
            let options = try await client.response()
            #expect(options.status == 204)
            #expect(options.fields["allow"] == "POST, OPTIONS")
            #expect(
                try await client.response().fields["allow"] == "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
        }
    }

    @Test(arguments: Wire.allCases)
    func `HTTP 1 point 0 closes unless asked not to, and streams until the close`(wire: Wire) async throws {
        let stream = route(.get, "/stream") { exchange in
            let stream = try await exchange.stream(200)
            try await stream.write("abc")
            try await exchange.loop.sleep(for: .milliseconds(1))
            try await stream.write("def")
        }
        try await withServer(wire, [hello, stream]) { fixture in
            let kept = try fixture.connect()
            try await kept.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            #expect(try await kept.response().fields["connection"] == "keep-alive")
            try await kept.send("GET /hello HTTP/1.0\r\n\r\n")
            #expect(try await kept.response().fields["connection"] == "close")
            try await kept.waitForEnd()

            let streaming = try fixture.connect()
            try await streaming.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            let response = try await streaming.response()
            #expect(response.fields["transfer-encoding"] == nil)
            #expect(response.text == "abcdef" && response.isWhole)
        }
    }

    @Test(arguments: Wire.allCases)
    func `a client that wants to close gets its answer first`(wire: Wire) async throws {
        try await withServer(wire, [hello]) { fixture in
            let client = try fixture.connect()
            try await client.send(get("/hello", "Connection: close\r\n") + get("/hello"))
            let response = try await client.response()
            #expect(response.fields["connection"] == "close")
            try await client.waitForEnd()
            #expect(client.received.isEmpty)
        }
    }

    static let bad: [(Int, String)] = [
        (400, "GET / HTTP/1.1\r\n\r\n"), (400, "\u{16}\u{03}\u{01}"), (400, "GET / HTTP/1.1\nHost: a\n\n"),
        (400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
        (414, "GET /" + String(repeating: "x", count: 9000)),
        (431, "GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "x", count: 17_000)),
        (501, "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n"), (505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ]

    @Test(arguments: Wire.allCases, bad)
    func `a bad request gets its status, a reason, and the end`(wire: Wire, bad: (Int, String)) async throws {
        try await withServer(wire, [hello]) { fixture in
            let client = try fixture.connect()
            try await client.send(get("/hello") + bad.1)
            #expect(try await client.response().status == 200)
            let response = try await client.response()
            #expect(response.status == bad.0)
            #expect(response.fields["connection"] == "close")
            #expect(response.text.contains("\"message\":\""))
            try await client.waitForEnd()
        }
    }

    @Test(arguments: Wire.allCases)
    func `an error before the answer is answered, one after it breaks the answer off`(wire: Wire) async throws
    {
        let routes = [
            route(.get, "/problem") { _ in
                throw Problem(.rateLimited, code: "slow_down", "Wait.", retryAfterSeconds: 7)
            },
            route(.get, "/unforeseen") { _ in throw Broken() },
            route(.get, "/silent") { _ in },
            route(.get, "/split") { $0.respond(200, ["X": "a\r\nSet-Cookie: b"], body: Array("x".utf8)) },
            route(.get, "/forbidden-field") { $0.respond(200, ["Content-Length": "99"]) },
            route(.get, "/twice") { exchange in
                exchange.respond(200, body: Array("one".utf8))
                exchange.respond(500, body: Array("two".utf8))
            },
            route(.get, "/broken-stream") { exchange in
                let stream = try await exchange.stream(200)
                try await stream.write("half")
                throw Broken()
            },
        ]
        try await withServer(wire, routes) { fixture in
            let client = try fixture.connect()
            try await client.send(get("/problem"))
            let problem = try await client.response()
            #expect(problem.status == 429 && problem.fields["retry-after"] == "7")
            for path in ["/unforeseen", "/silent", "/split", "/forbidden-field"] {
                try await client.send(get(path))
                let response = try await client.response()
                #expect(response.status == 500, "\(path)")
                #expect(!response.text.contains("Broken") && response.fields["set-cookie"] == nil)
            }
            try await client.send(get("/twice"))
            #expect(try await client.response().text == "one")
            try await client.send(get("/broken-stream"))
            let broken = try await client.response()
            #expect(broken.text == "half" && !broken.isWhole)
            try await client.waitForEnd()

            let old = try fixture.connect()
            try await old.send("GET /broken-stream HTTP/1.0\r\n\r\n")
            // A unix socket has no way to end with a failure.
            #expect(try await old.response().isWhole == (wire == .unix))
            let flags = fixture.records.withLock { $0.map(\.aborted) }
            #expect(flags == [false, false, false, false, false, false, true, true])
        }
    }

    @Test(arguments: Wire.allCases)
    func `every exchange is reported once with its route, status and sizes`(wire: Wire) async throws {
        try await withServer(wire, [hello, echo]) { fixture in
            let client = try fixture.connect()
            try await client.send(get("/hello") + post("/echo", "12345678") + get("/x") + "bad\r\n")
            for _ in 0..<4 { _ = try await client.response() }
            let records = fixture.records.withLock { $0 }
            #expect(records.map(\.status) == [200, 200, 404, 400])
            #expect(records.map(\.route) == ["GET /hello", "POST /echo", nil, nil])
            #expect(records.map(\.bytesIn) == [0, 8, 0, 0])
            #expect(records.prefix(2).map(\.bytesOut) == [5, 8])
            #expect(records.allSatisfy { !$0.aborted })
            let identifiers = records.compactMap { $0.exchange?.id }
            #expect(Set(identifiers).count == 3 && identifiers.allSatisfy { $0.utf8.count == 26 })
        }
    }

    @Test(arguments: Wire.allCases)
    func `fields of the exchange go out with whatever answers it`(wire: Wire) async throws {
        let routes = [
            route(.get, "/tagged") { exchange in
                exchange.responseFields.append("x-request-id", exchange.id)
                exchange.respond(200, ["X-Other": "1"])
            },
            route(.get, "/failing") { exchange in
                exchange.responseFields.append("x-request-id", exchange.id)
                throw Broken()
            },
        ]
        try await withServer(wire, routes) { fixture in
            let client = try fixture.connect()
            try await client.send(get("/tagged") + get("/failing"))
            let first = try await client.response()
            #expect(first.fields["x-request-id"]?.hasPrefix("req_") == true && first.fields["x-other"] == "1")
            let second = try await client.response()
            #expect(second.status == 500 && second.fields["x-request-id"] != first.fields["x-request-id"])
        }
    }
}
