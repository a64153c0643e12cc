import Base
package import HTTPWire
import Loop

/// A WebSocket in a handler's hands. One task receives; any may send.
// Confined to its loop.
package final class WebSocket: @unchecked Sendable {
    package enum Message: Equatable, Sendable {
        case text([UInt8])
        case binary([UInt8])
    }

    /// Why it ended, once it has.
    package private(set) var closeCode: WebSocketCloseCode?

    /// Until the handler has returned.
    private var connection: Connection?
    private let loop: EventLoop
    private var machine: WebSocketMachine
    private var input: [UInt8] = []
    private var position = 0
    private var hasSentClose = false
    private var pingTimer: TimerToken?
    private let pingInterval: Duration
    private var wasHeard = true

    init(_ connection: Connection, messageLimit: Int, ping: Duration) {
        self.connection = connection
        loop = connection.shared.loop
        machine = WebSocketMachine(role: .server, messageLimit: messageLimit)
        pingInterval = ping
        schedulePing()
    }

    /// The next message; `nil` when the socket has ended, see `closeCode`. Pings and closes are answered
    /// here.
    package func receive() async throws -> Message? {
        while closeCode == nil, let connection {
            if position == input.count {
                position = 0
                guard try await connection.readRaw(into: &input) else {
                    finish(.abnormal)
                    return nil
                }
                wasHeard = true
            }
            switch input.withUnsafeBytes({ machine.receive($0, &position) }) {
            case .needMore, .pong: break
            case .text(let text): return .text(text)
            case .binary(let bytes): return .binary(bytes)
            case .sendPong(let payload):
                if !hasSentClose { connection.append(Self.frame(.pong, payload)) }
                // Pings cost us pongs: who sends many must read them.
                try await connection.waitUntilSendable()
            case .close(let code, _):
                sendClose(code, "")
                finish(code)
            case .fail(let code):
                sendClose(code, "")
                finish(code)
            }
        }
        return nil
    }

    /// Sends a message, waiting while the client is too slow.
    package func send(text: String) async throws { try await send(.text, Array(text.utf8)) }

    package func send(text: [UInt8]) async throws { try await send(.text, text) }

    package func send(binary: [UInt8]) async throws { try await send(.binary, binary) }

    private func send(_ opcode: WebSocketOpcode, _ payload: [UInt8]) async throws {
        guard !hasSentClose, closeCode == nil, let connection, connection.isOpen else {
            throw ConnectionClosed()
        }
        connection.append(Self.frame(opcode, payload))
        try await connection.waitUntilSendable()
    }

    /// Says that we end, and why. `receive` goes on until the client has said so too.
    package func close(_ code: WebSocketCloseCode = .normal, reason: String = "") {
        sendClose(code, reason)
    }

    private func sendClose(_ code: WebSocketCloseCode, _ reason: String) {
        if hasSentClose { return }
        hasSentClose = true
        connection?.append(expecting: 128) { WebSocketFrame.append(close: code, reason: reason, to: &$0) }
    }

    private func finish(_ code: WebSocketCloseCode) {
        closeCode = closeCode ?? code
        stopPings()
    }

    /// The handler has returned.
    func connectionEnds() {
        sendClose(connection?.machine.isDraining == true ? .goingAway : .normal, "")
        finish(.normal)
        connection = nil
    }

    // MARK: Pings

    private func schedulePing() {
        pingTimer = loop.schedule(at: loop.now + pingInterval) { [weak self] in self?.ping() }
    }

    private func stopPings() {
        if let pingTimer { loop.cancel(pingTimer) }
        pingTimer = nil
    }

    private func ping() {
        pingTimer = nil
        guard closeCode == nil, let connection, connection.isOpen else { return }
        guard wasHeard else {
            finish(.abnormal)
            connection.drop()
            return
        }
        wasHeard = false
        if !hasSentClose { connection.append(Self.frame(.ping, [])) }
        schedulePing()
    }

    private static func frame(_ opcode: WebSocketOpcode, _ payload: [UInt8]) -> [UInt8] {
        var frame: [UInt8] = []
        frame.reserveCapacity(payload.count + 10)
        WebSocketFrame.append(opcode, payload, to: &frame)
        return frame
    }
}
