import Base
import HTTPWire

/// The body of an answer while it is being made. What is written in one tick leaves in one packet, in whole
/// chunks.
// Confined to its loop.
package final class ResponseStream: @unchecked Sendable {
    private let exchange: Exchange
    private let connection: Connection
    private let isChunked: Bool
    private let sendsBody: Bool
    private var hasEnded = false

    init(_ exchange: Exchange, _ connection: Connection, _ plan: ConnectionMachine.ResponsePlan) {
        self.exchange = exchange
        self.connection = connection
        isChunked = plan.framing == .chunked
        sendsBody = plan.sendsBody
    }

    /// Written and not yet taken by the socket.
    package var unsentBytes: Int { connection.output.count }

    /// Writes `bytes`, waiting while the client is too slow (`unsentHighWater`). Throws when the client has
    /// left.
    package func write(_ bytes: [UInt8]) async throws {
        if hasEnded || exchange.isOver || !connection.isOpen { throw ConnectionClosed() }
        guard sendsBody, !bytes.isEmpty else { return }
        let piece = connection.limits.unsentHighWater
        if bytes.count <= piece {
            bytes.withUnsafeBytes { append($0) }
            return try await connection.waitUntilSendable()
        }
        for start in stride(from: 0, to: bytes.count, by: piece / 2) {
            bytes.withUnsafeBytes { bytes in
                append(UnsafeRawBufferPointer(rebasing: bytes[start..<min(bytes.count, start + piece / 2)]))
            }
            try await connection.waitUntilSendable()
            if exchange.isOver { throw ConnectionClosed() }
        }
    }

    package func write(_ text: String) async throws { try await write(Array(text.utf8)) }

    /// Sends what was written now rather than at the end of the tick.
    package func flush() { connection.flush() }

    /// Ends the body cleanly. A handler that returns does so by itself; one that throws breaks it off.
    package func end() {
        if hasEnded || exchange.isOver { return }
        hasEnded = true
        exchange.endStream()
    }

    private func append(_ bytes: UnsafeRawBufferPointer) {
        exchange.noteSent(bytes.count)
        connection.append(expecting: bytes.count + 24) { output in
            if isChunked { ChunkedEncoder.append(bytes, to: &output) } else { output.append(bytes) }
        }
    }
}
