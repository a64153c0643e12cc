import Base
import HTTPWire
import JSON
import Loop

/// A client's side of a WebSocket, on a real connection.
// Confined to its loop.
final class SocketClient: @unchecked Sendable {
    struct Failure: Error { var what: String }

    private let descriptor: Int32
    private let loop: EventLoop
    private let changed: Waiter
    private var registration: Registration?
    private var received: [UInt8] = []
    private var machine = WebSocketMachine(role: .client, messageLimit: 64 * 1024 * 1024)
    /// The answer to the handshake.
    private(set) var head = ""

    /// Nothing takes this long; it only keeps a hang from lasting.
    private static let patience = Duration.seconds(20)

    init(port: Int, on loop: EventLoop) throws {
        guard let address = IPAddress("127.0.0.1") else { throw Failure(what: "no address") }
        self.loop = loop
        changed = Waiter(loop)
        descriptor = try Socket.connect(host: address, port: port)
        registration = try loop.register(descriptor, [.read, .write, .peerClosed, .edgeTriggered]) {
            [weak self] _ in self?.changed.wake()
        }
    }

    static func open(_ world: GatewayWorld, _ fields: String) async throws -> SocketClient {
        let client = try SocketClient(port: world.port, on: world.loop)
        try await client.write(
            Array(
                ("GET /api/v1/chat/ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\(fields)\r\n")
                    .utf8))
        let end = Array("\r\n\r\n".utf8)
        while true {
            if let start = client.received.indices.first(where: { client.received[$0...].starts(with: end) })
            {
                client.head = String(decoding: client.received[..<start], as: UTF8.self)
                client.received.removeFirst(start + 4)
                return client
            }
            guard try await client.fill() else { throw Failure(what: "the connection ended") }
        }
    }

    func send(_ text: String) async throws { try await send(.text, Array(text.utf8)) }

    func send(_ opcode: WebSocketOpcode, _ payload: [UInt8]) async throws {
        var frame: [UInt8] = []
        WebSocketFrame.append(opcode, payload, mask: 0x0102_0304, to: &frame)
        // Of one that is too large the server reads the head only.
        try await write(frame.count > 1024 * 1024 ? Array(frame.prefix(20)) : frame)
    }

    /// The next thing that comes; nil at the end.
    func next() async throws -> WebSocketMachine.Action? {
        while true {
            var position = 0
            let action = received.withUnsafeBytes { machine.receive($0, &position) }
            received.removeFirst(position)
            if action != .needMore { return action }
            guard try await fill() else { return nil }
        }
    }

    /// The next message.
    func message() async throws -> JSONDocument {
        let action = try await next()
        guard case .text(let text) = action else {
            throw Failure(what: "no message but \(String(describing: action))")
        }
        return try JSONDocument(parsing: text)
    }

    /// All messages until one of them ends the request `id`.
    func messages(toEndOf id: String) async throws -> [JSONDocument] {
        var messages: [JSONDocument] = []
        while true {
            let message = try await message()
            messages.append(message)
            let isEnd = ["end", "error"].contains(message["type"]?.string ?? "")
            if isEnd, message["id"]?.string == id { return messages }
        }
    }

    func close() {
        guard let registration else { return }
        self.registration = nil
        loop.deregister(registration)
        Socket.close(descriptor)
    }

    private func write(_ bytes: [UInt8]) async throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            switch rest.withUnsafeBytes({ Socket.write(descriptor, $0, more: false) }) {
            case .bytes(let count): rest = rest.dropFirst(count)
            case .wouldBlock: try await changed.wait(until: .now() + Self.patience)
            case .end, .failed: throw Failure(what: "cannot send")
            }
        }
    }

    private func fill() async throws -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            switch buffer.withUnsafeMutableBytes({ Socket.read(descriptor, into: $0) }) {
            case .bytes(let count):
                received += buffer[..<count]
                return true
            case .wouldBlock: try await changed.wait(until: .now() + Self.patience)
            case .end, .failed: return false
            }
        }
    }
}
