import Base
import HTTPServer
import HTTPWire
import Loop
import Testing

@Suite(.timeLimit(.minutes(2)))
struct BodyTests {
    @Test(arguments: Wire.allCases)
    func `a body of known length, in chunks, or empty reaches its handler`(wire: Wire) async throws {
        try await withServer(wire, [echo]) { fixture in
            let client = try fixture.connect()
            try await client.send(post("/echo", "twelve bytes"))
            #expect(try await client.response().text == "twelve bytes")
            try await client.send(post("/echo", ""))
            #expect(try await client.response().text == "")
            try await client.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            for piece in ["3\r\nabc\r\n", "1\r", "\nd\r\n0\r\n", "X: 1\r\n\r\n"] {
                try await fixture.loop.sleep(for: .milliseconds(1))
                try await client.send(piece)
            }
            #expect(try await client.response().text == "abcd")
        }
    }

    @Test(arguments: Wire.allCases)
    func `a body of a megabyte arrives as it was sent`(wire: Wire) async throws {
        try await withServer(wire, [echo]) { fixture in
            let body = (0..<1_000_003).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            let client = try fixture.connect()
            try await client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.count)\r\n\r\n")
            try await client.send(body)
            #expect(try await client.response().body == body)
            var wireForm = Array("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
            for start in stride(from: 0, to: body.count, by: 9999) {
                ChunkedEncoder.append(Array(body[start..<min(body.count, start + 9999)]), to: &wireForm)
            }
            ChunkedEncoder.appendEnd(to: &wireForm)
            try await client.send(wireForm)
            #expect(try await client.response().body == body)
        }
    }

    @Test(arguments: Wire.allCases)
    func `a body can be read piece by piece`(wire: Wire) async throws {
        let count = route(.post, "/count") { exchange in
            var bytes = 0
            while let piece = try await exchange.nextBodyPiece() {
                #expect(!piece.isEmpty && piece.count <= 128 * 1024)
                bytes += piece.count
            }
            #expect(try await exchange.nextBodyPiece() == nil)
            exchange.respond(200, body: Array("\(bytes)".utf8))
        }
        try await withServer(wire, [count]) { fixture in
            let client = try fixture.connect()
            try await client.send(post("/count", String(repeating: "x", count: 300_000)))
            #expect(try await client.response().text == "300000")
        }
    }

    @Test(arguments: Wire.allCases)
    func `a body that is announced too large is refused before it is read`(wire: Wire) async throws {
        let small = route(.post, "/small", limit: 10) { exchange in
            exchange.respond(200, body: try await exchange.body())
        }
        try await withServer(wire, [small, echo], Setup { $0.limits.bodyBytes = 100 }) { fixture in
            for (path, length) in [("/small", 11), ("/echo", 101)] {
                let client = try fixture.connect()
                // The client announces the body, and does not even send it.
                try await client.send("POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Length: \(length)\r\n\r\n")
                let response = try await client.response()
                #expect(response.status == 413)
                #expect(response.fields["connection"] == "close")
            }
            let client = try fixture.connect()
            try await client.send(
                post("/small", "1234567890") + post("/echo", String(repeating: "x", count: 100)))
            #expect(try await client.response().status == 200)
            #expect(try await client.response().status == 200)
        }
    }

    @Test(arguments: Wire.allCases)
    func `a client that sends on can still read why it was refused`(wire: Wire) async throws {
        try await withServer(wire, [echo], Setup { $0.limits.bodyBytes = 100 }) { fixture in
            let client = try fixture.connect()
            try await client.send(post("/echo", String(repeating: "x", count: 500_000)))
            #expect(try await client.response().status == 413)
            try await client.waitForEnd()
        }
    }

    @Test(arguments: Wire.allCases)
    func `a chunked body is refused where it outgrows the limit or breaks`(wire: Wire) async throws {
        try await withServer(wire, [echo], Setup { $0.limits.bodyBytes = 100 }) { fixture in
            for (body, status) in [("32\r\n", 413), ("5;a=b\r\nhello\r\n", 400), ("5\r\nhello!\r\n", 400)] {
                let client = try fixture.connect()
                try await client.send(
                    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\(body)")
                if status == 413 {
                    try await client.send(String(repeating: "x", count: 50) + "\r\n33\r\n")
                    try await client.send(String(repeating: "x", count: 51) + "\r\n")
                }
                #expect(try await client.response().status == status)
                try await client.waitForEnd()
            }
        }
    }

    @Test(arguments: Wire.allCases)
    func `a client that waits to be asked is asked when the handler wants the body`(wire: Wire) async throws {
        let refuse = route(.post, "/refuse") { $0.respond(403, body: Array("no".utf8)) }
        try await withServer(wire, [echo, refuse]) { fixture in
            let client = try fixture.connect()
            let expecting = "Host: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
            try await client.send("POST /echo HTTP/1.1\r\n\(expecting)")
            #expect(try await client.response().status == 100)
            try await client.send("hello")
            #expect(try await client.response().text == "hello")

            try await client.send("POST /refuse HTTP/1.1\r\n\(expecting)")
            let response = try await client.response()
            #expect(response.status == 403)
            #expect(response.fields["connection"] == "close")
        }
    }

    @Test(arguments: Wire.allCases)
    func `another expectation and a compressed body are refused`(wire: Wire) async throws {
        try await withServer(wire, [echo]) { fixture in
            for (field, status) in [
                ("Expect: magic", 417), ("Content-Encoding: gzip", 415),
            ] {
                let client = try fixture.connect()
                try await client.send(post("/echo", "x", field + "\r\n"))
                #expect(try await client.response().status == status)
            }
        }
    }

    @Test(arguments: Wire.allCases)
    func `a body that the handler ignores and that has come does not cost the connection`(wire: Wire)
        async throws
    {
        let ignore = route(.post, "/ignore") { $0.respond(200, body: Array("ignored".utf8)) }
        try await withServer(wire, [ignore, hello]) { fixture in
            let client = try fixture.connect()
            try await client.send(post("/ignore", "some body") + get("/hello"))
            #expect(try await client.response().text == "ignored")
            #expect(try await client.response().text == "hello")

            // One that has not come does: what follows cannot be told from it.
            try await client.send("POST /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nGET")
            let response = try await client.response()
            #expect(response.text == "ignored")
            #expect(response.fields["connection"] == "close")
            try await client.waitForEnd()
        }
    }

    @Test(arguments: Wire.allCases)
    func `a client that leaves in the middle of its body ends the handler`(wire: Wire) async throws {
        let outcome = Locked<String>("")
        let upload = route(.post, "/upload") { exchange in
            do {
                _ = try await exchange.body()
            } catch {
                outcome.withLock { $0 = "\(type(of: error))" }
                throw error
            }
        }
        try await withServer(wire, [upload]) { fixture in
            let client = try fixture.connect()
            try await client.send("POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf")
            try await fixture.loop.sleep(for: .milliseconds(5))
            client.transport.close()
            try await fixture.wait("the handler to end") { outcome.withLock { !$0.isEmpty } }
            try await fixture.wait("the connection to end") { await fixture.server.connectionCount() == 0 }
            #expect(fixture.records.withLock { $0.map(\.aborted) } == [true])
        }
    }
}
