import Base
import HTTPServer
import HTTPWire
import Loop
import Testing

@Suite(.timeLimit(.minutes(2)))
struct WebSocketServerTests {
    static let echo = route(.get, "/echo") { exchange in
        let socket = try await exchange.upgradeToWebSocket(messageLimit: 1000)
        while let message = try await socket.receive() {
            switch message {
            case .text(let text): try await socket.send(text: text)
            case .binary(let bytes): try await socket.send(binary: bytes)
            }
        }
    }

    static let handshake = get(
        "/echo",
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")

    /// A client's side of a socket.
    final class Socket {
        let client: TestClient
        private var machine = WebSocketMachine(role: .client)

        init(_ client: TestClient) { self.client = client }

        static func open(_ fixture: ServerFixture, path: String = "/echo") async throws -> Socket {
            let client = try fixture.connect()
            try await client.send(handshake.replacing("/echo", with: path))
            // 101 has no body: what follows stays for us.
            let response = try await client.response(toHead: true)
            #expect(response.status == 101)
            #expect(response.fields["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
            #expect(response.fields["connection"] == "Upgrade")
            return Socket(client)
        }

        func send(_ opcode: WebSocketOpcode, _ payload: [UInt8], final isFinal: Bool = true) async throws {
            var frame: [UInt8] = []
            WebSocketFrame.append(opcode, payload, isFinal: isFinal, mask: 0x0102_0304, to: &frame)
            try await client.send(frame)
        }

        func next() async throws -> WebSocketMachine.Action {
            var pending = client.takeReceived()
            while true {
                var position = 0
                let action = pending.withUnsafeBytes { machine.receive($0, &position) }
                pending.removeFirst(position)
                if action != .needMore {
                    client.putBack(pending)
                    return action
                }
                try await client.wait("a frame") { !client.received.isEmpty }
                pending = client.takeReceived()
            }
        }
    }

    @Test(arguments: Wire.allCases)
    func `messages come back, whole, in fragments and with the handshake`(wire: Wire) async throws {
        try await withServer(wire, [Self.echo]) { fixture in
            let socket = try await Socket.open(fixture)
            try await socket.send(.text, Array("grüße".utf8))
            #expect(try await socket.next() == .text(Array("grüße".utf8)))
            try await socket.send(.binary, [0, 1, 255])
            #expect(try await socket.next() == .binary([0, 1, 255]))
            try await socket.send(.text, Array("ab".utf8), final: false)
            try await socket.send(.ping, Array("beat".utf8))
            try await socket.send(.continuation, Array("cd".utf8))
            #expect(try await socket.next() == .pong)
            #expect(try await socket.next() == .text(Array("abcd".utf8)))

            let eager = try fixture.connect()
            var frame: [UInt8] = []
            WebSocketFrame.append(.text, Array("early".utf8), mask: 7, to: &frame)
            try await eager.send(Array(Self.handshake.utf8) + frame)
            _ = try await eager.response(toHead: true)
            #expect(try await Socket(eager).next() == .text(Array("early".utf8)))
        }
    }

    @Test(arguments: Wire.allCases)
    func `a close is answered with its code, and the connection ends`(wire: Wire) async throws {
        try await withServer(wire, [Self.echo]) { fixture in
            let socket = try await Socket.open(fixture)
            try await socket.send(.close, [0x0F, 0xA1])
            #expect(try await socket.next() == .close(.init(rawValue: 4001), reason: []))
            try await socket.client.waitForEnd()
            #expect(fixture.records.withLock { $0.map(\.status) } == [101])
            #expect(fixture.records.withLock { $0.map(\.aborted) } == [false])
        }
    }

    @Test(arguments: Wire.allCases)
    func `whoever breaks the protocol is told how`(wire: Wire) async throws {
        try await withServer(wire, [Self.echo]) { fixture in
            let unmasked = try await Socket.open(fixture)
            try await unmasked.client.send([0x81, 0x01, 0x61])
            #expect(try await unmasked.next() == .close(.protocolError, reason: []))
            try await unmasked.client.waitForEnd()

            let garbled = try await Socket.open(fixture)
            try await garbled.send(.text, [0xFF])
            #expect(try await garbled.next() == .close(.invalidText, reason: []))

            let large = try await Socket.open(fixture)
            try await large.send(.binary, [UInt8](repeating: 0, count: 1001))
            #expect(try await large.next() == .close(.messageTooBig, reason: []))
        }
    }

    @Test(arguments: Wire.allCases)
    func `a handshake that is none is refused as a request`(wire: Wire) async throws {
        try await withServer(wire, [Self.echo]) { fixture in
            let client = try fixture.connect()
            try await client.send(get("/echo"))
            #expect(try await client.response().status == 400)
            try await client.send(Self.handshake.replacing("Version: 13", with: "Version: 12"))
            let old = try await client.response()
            #expect(old.status == 400 && old.fields["sec-websocket-version"] == "13")
            try await client.send(Self.handshake.replacing("dGhl", with: "!"))
            #expect(try await client.response().status == 400)
        }
    }

    @Test(arguments: Wire.allCases)
    func `a handler that returns closes the socket, and may say why`(wire: Wire) async throws {
        let routes = [
            route(.get, "/silent") { _ = try await $0.upgradeToWebSocket() },
            route(.get, "/reasoned") { exchange in
                let socket = try await exchange.upgradeToWebSocket()
                try await socket.send(text: "bye")
                socket.close(.tryAgainLater, reason: "busy")
            },
        ]
        try await withServer(wire, routes) { fixture in
            let silent = try await Socket.open(fixture, path: "/silent")
            #expect(try await silent.next() == .close(.normal, reason: []))
            try await silent.client.waitForEnd()
            let reasoned = try await Socket.open(fixture, path: "/reasoned")
            #expect(try await reasoned.next() == .text(Array("bye".utf8)))
            #expect(try await reasoned.next() == .close(.tryAgainLater, reason: Array("busy".utf8)))
        }
    }

    @Test(arguments: Wire.allCases)
    func `pings keep a live client and find out a dead one`(wire: Wire) async throws {
        let code = Locked<WebSocketCloseCode?>(nil)
        let listen = route(.get, "/listen") { exchange in
            let socket = try await exchange.upgradeToWebSocket()
            defer { code.withLock { $0 = socket.closeCode } }
            while try await socket.receive() != nil {}
        }
        try await withServer(wire, [listen], Setup { $0.limits.webSocketPing = .milliseconds(500) }) {
            fixture in
            let alive = try await Socket.open(fixture, path: "/listen")
            for _ in 0..<3 {
                #expect(try await alive.next() == .sendPong([]))
                try await alive.send(.pong, [])
            }
            // Now it falls silent.
            try await fixture.wait("the drop") { await fixture.server.connectionCount() == 0 }
            #expect(code.withLock { $0 } == .abnormal)
        }
    }

    @Test(arguments: Wire.allCases)
    func `any task may send while another receives`(wire: Wire) async throws {
        let both = route(.get, "/both") { exchange in
            let socket = try await exchange.upgradeToWebSocket()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for sender in 0..<3 {
                    group.addTask {
                        for number in 0..<50 { try await socket.send(text: "\(sender):\(number)") }
                    }
                }
                while try await socket.receive() != nil {}
                try await group.waitForAll()
            }
        }
        try await withServer(wire, [both]) { fixture in
            let socket = try await Socket.open(fixture, path: "/both")
            var counts = [0, 0, 0]
            for _ in 0..<150 {
                guard case .text(let text) = try await socket.next() else { break }
                counts[Int(text[0]) - 0x30] += 1
            }
            #expect(counts == [50, 50, 50])
            try await socket.send(.close, [])
            #expect(try await socket.next() == .close(.absent, reason: []))
        }
    }
}
