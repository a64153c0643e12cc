import Base
import HTTPServer
import HTTPWire
import Loop
import Testing

@Suite(.timeLimit(.minutes(2)))
struct StreamTests {
    @Test(arguments: Wire.allCases)
    func `a stream arrives as it was written, and the connection lives on`(wire: Wire) async throws {
        let events = route(.get, "/events") { exchange in
            let stream = try await exchange.stream(200, ["Content-Type": "text/event-stream"])
            for number in 0..<5 {
                var event: [UInt8] = []
                SSEWriter.append(data: Array("\(number)".utf8), to: &event)
                try await stream.write(event)
                if number % 2 == 0 { try await exchange.loop.sleep(for: .milliseconds(1)) }
            }
            stream.end()
            stream.end()
        }
        try await withServer(wire, [events, hello]) { fixture in
            let client = try fixture.connect()
            for _ in 0..<2 {
                try await client.send(get("/events"))
                let response = try await client.response()
                #expect(response.text == "data: 0\n\ndata: 1\n\ndata: 2\n\ndata: 3\n\ndata: 4\n\n")
                #expect(response.isWhole)
            }
            try await client.send(get("/hello"))
            #expect(try await client.response().text == "hello")
        }
    }

    @Test(arguments: Wire.allCases)
    func `what was written before a pause is there before the next piece`(wire: Wire) async throws {
        let gate = Locked(false)
        let paused = route(.get, "/paused") { exchange in
            let stream = try await exchange.stream(200)
            try await stream.write("first")
            while !gate.withLock({ $0 }) { try await exchange.loop.sleep(for: .milliseconds(1)) }
            try await stream.write("second")
        }
        try await withServer(wire, [paused]) { fixture in
            let client = try fixture.connect()
            try await client.send(get("/paused"))
            try await client.wait("the first piece") {
                String(decoding: client.received, as: UTF8.self).hasSuffix("5\r\nfirst\r\n")
            }
            gate.withLock { $0 = true }
            #expect(try await client.response().text == "firstsecond")
        }
    }

    @Test(arguments: [Wire.memory])
    func `events of one tick leave in one write`(wire: Wire) async throws {
        let burst = route(.get, "/burst") { exchange in
            let stream = try await exchange.stream(200)
            for number in 0..<10 { try await stream.write("data: \(number)\n\n") }
        }
        try await withServer(wire, [burst]) { fixture in
            let client = try fixture.connect()
            try await client.send(get("/burst"))
            try await client.wait("anything") { !client.received.isEmpty }
            // The first report of readiness had everything: head, ten events and the end.
            #expect(String(decoding: client.received, as: UTF8.self).hasSuffix("\r\n0\r\n\r\n"))
        }
    }

    @Test(arguments: Wire.allCases)
    func `a writer waits for a client that does not read, and goes on when it does`(wire: Wire) async throws {
        let piece = 16 * 1024
        let total = 32 * 1024 * 1024
        let written = Locked(0)
        let mostUnsent = Locked(0)
        let flood = route(.get, "/flood") { exchange in
            let stream = try await exchange.stream(200)
            while written.withLock({ $0 }) < total {
                try await stream.write([UInt8](repeating: 0x78, count: piece))
                written.withLock { $0 += piece }
                mostUnsent.withLock { $0 = max($0, stream.unsentBytes) }
            }
        }
        try await withServer(wire, [flood]) { fixture in
            let client = try fixture.connect()
            try await client.send(get("/flood"))
            var before = -1
            try await fixture.wait("the writer to wait") {
                try? await fixture.loop.sleep(for: .milliseconds(30))
                defer { before = written.withLock { $0 } }
                return before > 0 && written.withLock { $0 } == before
            }
            #expect(before < total / 2)
            #expect(mostUnsent.withLock { $0 } <= 512 * 1024)
            let response = try await client.response()
            #expect(response.body.count == total && response.isWhole)
            #expect(mostUnsent.withLock { $0 } <= 512 * 1024)
        }
    }

    @Test(arguments: Wire.allCases)
    func `one write of any size is cut so that memory stays bounded`(wire: Wire) async throws {
        let big = route(.get, "/big") { exchange in
            let stream = try await exchange.stream(200)
            try await stream.write([UInt8](repeating: 0x78, count: 3_000_000))
            #expect(stream.unsentBytes <= 512 * 1024)
        }
        try await withServer(wire, [big]) { fixture in
            let client = try fixture.connect()
            try await client.send(get("/big"))
            #expect(try await client.response().body.count == 3_000_000)
        }
    }

    @Test(arguments: Wire.allCases, [true, false])
    func `a client that leaves ends whatever its handler waits for`(wire: Wire, isStreaming: Bool)
        async throws
    {
        for goesDeep in [false, true] {
            try await leave(wire, isStreaming: isStreaming, goesDeep: goesDeep)
        }
    }

    private func leave(_ wire: Wire, isStreaming: Bool, goesDeep: Bool) async throws {
        let state = Locked("")
        let patient = route(.get, "/patient", goesDeep: goesDeep) { exchange in
            if isStreaming { try await exchange.stream(200).write("begun") }
            state.withLock { $0 = "waiting" }
            defer { state.withLock { $0 = "ended" } }
            try await exchange.loop.sleep(for: .seconds(600))
        }
        try await withServer(wire, [patient]) { fixture in
            let client = try fixture.connect()
            try await client.send(get("/patient"))
            try await fixture.wait("the handler to wait") { state.withLock { $0 == "waiting" } }
            client.transport.close()
            try await fixture.wait("the handler to end") { state.withLock { $0 == "ended" } }
            try await fixture.wait("the connection to end") { await fixture.server.connectionCount() == 0 }
            #expect(fixture.records.withLock { $0.map(\.aborted) } == [true])
        }
    }

    @Test(arguments: Wire.allCases)
    func `a client that is dropped or leaves ends no handler but its own, whosever task that runs in`(
        wire: Wire
    ) async throws {
        let seen = Locked<[String]>([])
        let patient = route(.get, "/patient", goesDeep: true) { exchange in
            seen.withLock { $0.append("begun") }
            defer { seen.withLock { $0.append("ended, cancelled: \(Task.isCancelled)") } }
            try await exchange.loop.sleep(for: .seconds(600))
        }
        let large = route(.get, "/large", goesDeep: true) {
            $0.respond(200, body: [UInt8](repeating: 0x78, count: 32 * 1024 * 1024))
        }
        let deep = route(.get, "/deep", goesDeep: true) { exchange in
            #expect(!Task.isCancelled)
            exchange.respond(200, body: Array("hello".utf8))
        }
        let setup = Setup { $0.limits.writeStall = .milliseconds(60) }
        try await withServer(wire, [patient, large, deep], setup) { fixture in
            // Takes nothing of its answer, whose handler has ended: its task is the next handler's.
            let first = try fixture.connect()
            try await first.send(get("/large"))
            try await fixture.wait("the answer") { fixture.records.withLock { $0.count == 1 } }
            let second = try fixture.connect()
            try await second.send(get("/patient"))
            try await fixture.wait("the drop") { await fixture.server.connectionCount() == 1 }
            try await fixture.loop.sleep(for: .milliseconds(20))
            #expect(seen.withLock { $0 } == ["begun"])

            // A task that was cancelled is nobody's any more.
            second.transport.close()
            try await fixture.wait("the second to end") {
                seen.withLock { $0 == ["begun", "ended, cancelled: true"] }
            }
            for _ in 0..<3 {
                let third = try fixture.connect()
                try await third.send(get("/deep"))
                #expect(try await third.response().text == "hello")
            }
            withExtendedLifetime(first) {}
        }
    }

    @Test(arguments: Wire.allCases)
    func `a client that only shuts down its sending side counts as gone too`(wire: Wire) async throws {
        let ended = Locked(false)
        let patient = route(.get, "/patient") { exchange in
            defer { ended.withLock { $0 = true } }
            try await exchange.loop.sleep(for: .seconds(600))
        }
        let deep = route(.get, "/deep", goesDeep: true) { $0.respond(200, body: Array("hello".utf8)) }
        try await withServer(wire, [patient, hello, deep]) { fixture in
            let client = try fixture.connect()
            try await client.send(get("/patient"))
            try await fixture.loop.sleep(for: .milliseconds(2))
            client.transport.shutdownWrite()
            try await fixture.wait("the handler to end") { ended.withLock { $0 } }

            // What takes no waiting is answered all the same.
            for path in ["/hello", "/deep"] {
                let quick = try fixture.connect()
                try await quick.send(get(path))
                quick.transport.shutdownWrite()
                #expect(try await quick.response().text == "hello")
            }
        }
    }

    @Test(arguments: Wire.allCases)
    func `a stream that outlives its handler can write no more`(wire: Wire) async throws {
        let kept = Locked<ResponseStream?>(nil)
        let leaky = route(.get, "/leaky") { exchange in
            let stream = try await exchange.stream(200)
            kept.withLock { $0 = stream }
        }
        try await withServer(wire, [leaky, hello]) { fixture in
            let client = try fixture.connect()
            try await client.send(get("/leaky"))
            #expect(try await client.response().isWhole)
            let stream = try #require(kept.withLock { $0 })
            await #expect(throws: ConnectionClosed.self) { try await stream.write("late") }
            stream.end()
            try await client.send(get("/hello"))
            #expect(try await client.response().text == "hello")
            kept.withLock { $0 = nil }
        }
    }

    @Test(arguments: Wire.allCases)
    func `a client that asks on without reading is not answered without bound`(wire: Wire) async throws {
        let handled = Locked(0)
        let big = route(.get, "/big") { exchange in
            handled.withLock { $0 += 1 }
            exchange.respond(200, body: [UInt8](repeating: 0x78, count: 200_000))
        }
        try await withServer(wire, [big]) { fixture in
            let client = try fixture.connect()
            let count = 200
            try await client.send(String(repeating: get("/big"), count: count))
            var before = 0
            try await fixture.wait("the server to wait") {
                try? await fixture.loop.sleep(for: .milliseconds(30))
                defer { before = handled.withLock { $0 } }
                return before > 0 && handled.withLock { $0 } == before
            }
            // Two or three fill the high water mark, and the kernel's own buffers hold some more.
            #expect(before < count / 2)
            for _ in 0..<count { #expect(try await client.response().body.count == 200_000) }
        }
    }
}
