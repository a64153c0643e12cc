import Base
import HTTPServer
import HTTPWire
import Loop
import Testing

@Suite(.timeLimit(.minutes(2)))
struct DrainTests {
    @Test(arguments: Wire.allCases)
    func `a drain closes what is idle and lets what is under way finish`(wire: Wire) async throws {
        let gate = Locked(false)
        let gated = route(.get, "/gated") { exchange in
            let stream = try await exchange.stream(200)
            try await stream.write("begun ")
            while !gate.withLock({ $0 }) { try await exchange.loop.sleep(for: .milliseconds(1)) }
            try await stream.write(exchange.isDraining ? "draining" : "not draining")
        }
        try await withServer(wire, [gated, hello]) { fixture in
            let idle = try fixture.connect()
            try await idle.send(get("/hello"))
            _ = try await idle.response()
            let fresh = try fixture.connect()
            let busy = try fixture.connect()
            try await busy.send(get("/gated") + get("/hello"))
            try await busy.wait("the stream") { busy.received.suffix(8).elementsEqual("begun \r\n".utf8) }

            async let clean = fixture.server.drain(within: .seconds(30))
            try await idle.waitForEnd()
            try await fresh.waitForEnd()
            #expect(await fixture.server.connectionCount() == 1)
            if wire == .tcp {
                let late = try fixture.connect()
                await #expect(throws: TestClient.Failure.self) {
                    try await late.send(get("/hello"))
                    _ = try await late.response()
                }
            }
            gate.withLock { $0 = true }
            let response = try await busy.response()
            #expect(response.text == "begun draining" && response.isWhole)
            // The request behind it is not begun: the client sends it again elsewhere.
            try await busy.waitForEnd()
            #expect(busy.received.isEmpty)
            #expect(await clean)
        }
    }

    @Test(arguments: Wire.allCases)
    func `a request that begins while the server drains is told to close`(wire: Wire) async throws {
        try await withServer(wire, [hello]) { fixture in
            let client = try fixture.connect()
            try await client.send("GET /hello HTTP/1.1\r\n")
            try await fixture.wait("the connection") { await fixture.server.connectionCount() == 1 }
            try await fixture.loop.sleep(for: .milliseconds(5))
            async let clean = fixture.server.drain(within: .seconds(30))
            try await fixture.loop.sleep(for: .milliseconds(5))
            try await client.send("Host: a\r\n\r\n")
            let response = try await client.response()
            #expect(response.text == "hello")
            #expect(response.fields["connection"] == "close")
            #expect(await clean)
        }
    }

    @Test(arguments: Wire.allCases)
    func `a WebSocket is told that the server goes away`(wire: Wire) async throws {
        try await withServer(wire, [WebSocketServerTests.echo]) { fixture in
            let socket = try await WebSocketServerTests.Socket.open(fixture)
            async let clean = fixture.server.drain(within: .seconds(30))
            #expect(try await socket.next() == .close(.goingAway, reason: []))
            try await socket.send(.close, [0x03, 0xE9])
            try await socket.client.waitForEnd()
            #expect(await clean)
        }
    }

    @Test(arguments: Wire.allCases)
    func `what is still under way at the deadline is cancelled and told so`(wire: Wire) async throws {
        let endless = route(.get, "/endless", goesDeep: true) { exchange in
            try await exchange.loop.sleep(for: .seconds(600))
        }
        let stubborn = route(.get, "/stubborn") { exchange in
            // Swallows its cancellation for a while longer than the grace.
            for _ in 0..<40 where (try? await exchange.loop.sleep(for: .milliseconds(5))) == nil {
                await Task.yield()
            }
            exchange.respond(200)
        }
        try await withServer(wire, [endless, stubborn]) { fixture in
            let client = try fixture.connect()
            try await client.send(get("/endless"))
            try await fixture.wait("the connection") { await fixture.server.connectionCount() == 1 }
            try await fixture.loop.sleep(for: .milliseconds(5))
            #expect(await fixture.server.drain(within: .milliseconds(20)) == false)
            let response = try await client.response()
            #expect(response.status == 503)
            #expect(response.fields["retry-after"] == "1")
            #expect(await fixture.server.connectionCount() == 0)
        }
    }
}
