import Base
import HTTPServer
import HTTPWire
import Loop
import Testing

@Suite(.timeLimit(.minutes(2)))
struct DeadlineTests {
    @Test(arguments: Wire.allCases)
    func `a head that drips in is cut off at its deadline, however lively it drips`(wire: Wire) async throws {
        try await withServer(wire, [hello], Setup { $0.limits.headDeadline = .milliseconds(60) }) { fixture in
            let client = try fixture.connect()
            try await client.send("GET / HTTP/1.1\r\nHost: a\r\n")
            var sent = 0
            while client.received.isEmpty, !client.hasEnded, sent < 10_000 {
                try? await client.send("X: 1\r\n")
                sent += 1
                try await fixture.loop.sleep(for: .milliseconds(5))
                client.readAvailable()
            }
            let response = try await client.response()
            #expect(response.status == 408)
            #expect(response.fields["connection"] == "close")
            #expect(sent > 1)
        }
    }

    @Test(arguments: Wire.allCases)
    func `an idle connection is closed without a word`(wire: Wire) async throws {
        try await withServer(wire, [hello], Setup { $0.limits.idleDeadline = .milliseconds(30) }) { fixture in
            let silent = try fixture.connect()
            try await silent.waitForEnd()
            #expect(silent.received.isEmpty)

            let used = try fixture.connect()
            try await used.send(get("/hello"))
            #expect(try await used.response().text == "hello")
            try await used.waitForEnd()
            #expect(used.received.isEmpty)
        }
    }

    @Test(arguments: Wire.allCases)
    func `a body slower than the least rate is refused, one that keeps up is not`(wire: Wire) async throws {
        try await withServer(
            wire, [echo],
            Setup {
                $0.limits.bodyGrace = .milliseconds(60)
                $0.limits.bodyBytesPerSecond = 1
            }
        ) { fixture in
            let slow = try fixture.connect()
            try await slow.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n")
            #expect(try await slow.response().status == 408)
            try await slow.waitForEnd()

            // Each byte earns a second: far more than the pauses take.
            let steady = try fixture.connect()
            try await steady.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\nx")
            for _ in 0..<19 {
                try await fixture.loop.sleep(for: .milliseconds(10))
                try await steady.send("x")
            }
            #expect(try await steady.response().status == 200)
        }
    }

    @Test(arguments: Wire.allCases)
    func `a client that takes nothing is dropped, and its handler with it`(wire: Wire) async throws {
        let ended = Locked(false)
        let flood = route(.get, "/flood") { exchange in
            defer { ended.withLock { $0 = true } }
            let stream = try await exchange.stream(200)
            while true { try await stream.write([UInt8](repeating: 0x78, count: 16 * 1024)) }
        }
        let large = route(.get, "/large") {
            $0.respond(200, body: [UInt8](repeating: 0x78, count: 32 * 1024 * 1024))
        }
        try await withServer(wire, [flood, large], Setup { $0.limits.writeStall = .milliseconds(60) }) {
            fixture in
            for (count, path) in [(1, "/flood"), (2, "/large")] {
                let client = try fixture.connect()
                try await client.send(get(path))
                try await fixture.wait("the exchange to end") {
                    fixture.records.withLock { $0.count == count }
                }
                try await fixture.wait("the drop") { await fixture.server.connectionCount() == 0 }
                withExtendedLifetime(client) {}
            }
            #expect(ended.withLock { $0 })
        }
    }
}
