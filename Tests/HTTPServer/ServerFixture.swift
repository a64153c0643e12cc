import Base
import Glibc
import HTTPServer
import HTTPWire
import Loop
import TestKit

/// What lies between client and server in a test.
enum Wire: String, CaseIterable, Sendable { case memory, tcp, unix }

/// What a test wants otherwise than it is by default.
struct Setup: Sendable {
    var apply: @Sendable (inout HTTPServerConfiguration) -> Void

    init(_ apply: @escaping @Sendable (inout HTTPServerConfiguration) -> Void) { self.apply = apply }
}

/// A server with a few routes and clients for it, all on one loop.
// Confined to its loop.
final class ServerFixture: @unchecked Sendable {
    let loop: EventLoop
    let server: HTTPServer
    let wire: Wire
    let records: Locked<[ExchangeRecord]>
    private let path = "/tmp/hivegate-http-\(getpid())-\(Random.base62(8)).sock"

    init(
        _ wire: Wire, on loop: EventLoop, _ routes: [Route], _ setup: Setup
    )
        async throws
    {
        self.wire = wire
        self.loop = loop
        let records = Locked<[ExchangeRecord]>([])
        self.records = records
        var configuration = HTTPServerConfiguration(router: try Router(routes))
        configuration.onFinish = { record in records.withLock { $0.append(record) } }
        setup.apply(&configuration)
        server = HTTPServer(configuration)
        switch wire {
        case .memory: break
        case .tcp: try await server.start(on: [loop], addresses: [.tcp(Self.loopback, port: 0)])
        case .unix: try await server.start(on: [loop], addresses: [.unix(path)])
        }
    }

    deinit { unlink(path) }

    static var loopback: IPAddress {
        get throws {
            guard let address = IPAddress("127.0.0.1") else { throw SystemError("inet_pton") }
            return address
        }
    }

    func connect() throws -> TestClient {
        switch wire {
        case .memory:
            let (ours, theirs) = MemoryTransport.pair(on: loop)
            server.serve(theirs, on: loop)
            return try TestClient(ours, on: loop)
        case .tcp:
            let descriptor = try Socket.connect(host: Self.loopback, port: server.ports[0])
            return try TestClient(SocketTransport(descriptor, on: loop), on: loop)
        case .unix:
            return try TestClient(SocketTransport(try Socket.connect(path: path), on: loop), on: loop)
        }
    }

    /// Waits until `condition` holds: for what happens on the server's side and sends nothing.
    func wait(_ what: String, until condition: () async -> Bool) async throws {
        let deadline = Instant.now() + TestClient.patience
        while !(await condition()) {
            if .now() > deadline { throw TestClient.Failure(what: "waited too long for: \(what)") }
            try await loop.sleep(for: .milliseconds(2))
        }
    }
}

/// Runs `body` with a server on a loop of its own, and sees that no connection outlives it.
func withServer(
    _ wire: Wire, _ routes: [Route],
    _ setup: Setup = Setup { _ in },
    _ body: @escaping @Sendable (ServerFixture) async throws -> Void
) async throws {
    try await onLoop { loop in
        let fixture = try await ServerFixture(wire, on: loop, routes, setup)
        let result: Result<Void, any Error>
        do {
            try await body(fixture)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await fixture.server.drain(within: .milliseconds(50))
        if await fixture.server.connectionCount() != 0 {
            throw TestClient.Failure(what: "a connection is left")
        }
        try result.get()
    }
}

func route(
    _ method: HTTPMethod, _ pattern: String, limit: Int? = nil, goesDeep: Bool = false,
    _ handler: @escaping Handler
) -> Route {
    Route(
        method, pattern,
        RouteMetadata("\(method) \(pattern)", access: "public", bodyLimit: limit, goesDeep: goesDeep), handler
    )
}

let hello = route(.get, "/hello") {
    $0.respond(200, ["Content-Type": "text/plain"], body: Array("hello".utf8))
}
let echo = route(.post, "/echo") { exchange in
    exchange.respond(200, body: try await exchange.body())
}

func get(_ path: String, _ fields: String = "") -> String {
    "GET \(path) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n"
}

func post(_ path: String, _ body: String, _ fields: String = "") -> String {
    "POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n\(fields)\r\n\(body)"
}
