import Base
import Glibc
import HTTPServer
import HTTPWire
import Loop
import TestKit
import Testing

@Suite(.timeLimit(.minutes(2)))
struct ConnectionLimitTests {
    @Test func `an address has its cap, and a place is free again when a connection ends`() async throws {
        try await withServer(.tcp, [hello], Setup { $0.limits.connectionsPerAddress = 2 }) { fixture in
            let first = try fixture.connect()
            let second = try fixture.connect()
            for client in [first, second] {
                try await client.send(get("/hello"))
                #expect(try await client.response().status == 200)
            }
            let third = try fixture.connect()
            let refused = try await third.response()
            #expect(refused.status == 429 && refused.fields["retry-after"] == "1")
            try await third.waitForEnd()

            first.transport.close()
            try await fixture.wait("the place") { await fixture.server.connectionCount() == 1 }
            let fourth = try fixture.connect()
            try await fourth.send(get("/hello"))
            #expect(try await fourth.response().status == 200)
        }
    }

    @Test func `an exempt address has no cap`() async throws {
        try await withServer(
            .tcp, [hello],
            Setup {
                $0.limits.connectionsPerAddress = 1
                $0.exemptAddresses = { $0.description == "127.0.0.1" }
            }
        ) { fixture in
            var clients: [TestClient] = []
            for _ in 0..<5 {
                let client = try fixture.connect()
                clients.append(client)
                try await client.send(get("/hello"))
                #expect(try await client.response().status == 200)
            }
        }
    }

    @Test(arguments: [Wire.tcp, .unix])
    func `a loop has its cap`(wire: Wire) async throws {
        try await withServer(wire, [hello], Setup { $0.limits.connectionsPerLoop = 1 }) { fixture in
            let first = try fixture.connect()
            try await first.send(get("/hello"))
            #expect(try await first.response().status == 200)
            let second = try fixture.connect()
            #expect(try await second.response().status == 503)
        }
    }

    @Test(arguments: [Wire.tcp, .unix], [true, false])
    func `without descriptors a client is turned away and the server goes on`(
        wire: Wire, hasReserve: Bool
    ) async throws {
        let failures = Locked<[Int32]>([])
        let mustFail = Locked(1)
        try await withServer(
            wire, [hello],
            Setup { configuration in
                configuration.onFailure = { error in failures.withLock { $0.append(error.code) } }
                configuration.acceptSource = AcceptSource(
                    accept: { (listener) throws(SystemError) in
                        let fails = mustFail.withLock { count in
                            defer { count = max(0, count - 1) }
                            return count > 0
                        }
                        if fails { throw SystemError("accept", code: EMFILE) }
                        return try Socket.accept(listener)
                    }, openReserve: { hasReserve ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -1 })
            }
        ) { fixture in
            let first = try fixture.connect()
            if hasReserve {
                let response = try await first.response()
                #expect(response.status == 503)
                try await first.waitForEnd()
            } else {
                // Nothing could be done for it at once; it is served when there are descriptors again.
                try await first.send(get("/hello"))
                #expect(try await first.response().status == 200)
            }
            let second = try fixture.connect()
            try await second.send(get("/hello"))
            #expect(try await second.response().status == 200)
            #expect(failures.withLock { $0 } == [EMFILE])
        }
    }

    @Test func `several loops share a port and a path`() async throws {
        let group = try LoopGroup(count: 2)
        try group.start()
        let path = "/tmp/hivegate-http-\(getpid())-\(Random.base62(8)).sock"
        let server = HTTPServer(HTTPServerConfiguration(router: try Router([hello])))
        try await server.start(
            on: group.loops, addresses: [.tcp(try ServerFixture.loopback, port: 0), .unix(path)])
        let port = server.ports[0]
        let loop = group.loops[0]
        let statuses = Locked<[Int]>([])
        try await Task(executorPreference: loop) {
            for number in 0..<20 {
                let descriptor =
                    number % 2 == 0
                    ? try Socket.connect(host: ServerFixture.loopback, port: port)
                    : try Socket.connect(path: path)
                let client = try TestClient(SocketTransport(descriptor, on: loop), on: loop)
                try await client.send(get("/hello"))
                let status = try await client.response().status
                statuses.withLock { $0.append(status) }
            }
        }.value
        #expect(statuses.withLock { $0 } == [Int](repeating: 200, count: 20))
        #expect(await server.drain(within: .seconds(5)))
        group.stop()
        unlink(path)
    }

    @Test func `a port that is taken is an error, and nothing is left listening`() async throws {
        try await withServer(.tcp, [hello]) { fixture in
            let loopback = try ServerFixture.loopback
            let taken = try Socket.listen(host: loopback, port: 0)
            defer { Socket.close(taken) }
            let other = HTTPServer(HTTPServerConfiguration(router: try Router([hello])))
            await #expect(throws: SystemError.self) {
                try await other.start(
                    on: [fixture.loop],
                    addresses: [.tcp(loopback, port: 0), .tcp(loopback, port: Socket.port(of: taken))])
            }
            let first = other.ports[0]
            let client = try TestClient(
                SocketTransport(try Socket.connect(host: loopback, port: first), on: fixture.loop),
                on: fixture.loop)
            try await client.waitForEnd()
        }
    }

    @Test func `an IPv6 address is served`() async throws {
        try await onLoop { loop in
            guard let loopback = IPAddress("::1") else { throw SystemError("inet_pton") }
            let server = HTTPServer(HTTPServerConfiguration(router: try Router([hello])))
            do {
                try await server.start(on: [loop], addresses: [.tcp(loopback, port: 0)])
            } catch let error as SystemError where error.code == EADDRNOTAVAIL || error.code == EAFNOSUPPORT {
                // A machine without IPv6 has nothing to show here.
                return
            }
            let descriptor = try Socket.connect(host: loopback, port: server.ports[0])
            let client = try TestClient(SocketTransport(descriptor, on: loop), on: loop)
            try await client.send(get("/hello"))
            #expect(try await client.response().text == "hello")
            await server.drain(within: .milliseconds(50))
        }
    }
}
