import Base
import HTTPWire

/// The body of an answer while it is being made. What is written in one tick leaves in one packet, in whole
/// chunks.
// Confined to its loop.
package final class ResponseStream: @unchecked Sendable {
    private let exchange: Exchange
    private let isChunked: Bool
    private let sendsBody: Bool
    private var hasEnded = false

    init(_ exchange: Exchange, _ plan: ConnectionMachine.ResponsePlan) {
        self.exchange = exchange
        isChunked = plan.framing == .chunked
        sendsBody = plan.sendsBody
    }

    /// Written and not yet taken by the socket.
    package var unsentBytes: Int { exchange.connection?.output.count ?? 0 }

    /// Writes `bytes`, waiting while the client is too slow (`unsentHighWater`). Throws when the client has
    /// left.
    package func write(_ bytes: [UInt8]) async throws {
        let connection = try open()
        guard sendsBody, !bytes.isEmpty else { return }
        let piece = connection.limits.unsentHighWater
        if bytes.count <= piece {
            bytes.withUnsafeBytes { append($0, to: connection) }
            return try await connection.waitUntilSendable()
        }
        for start in stride(from: 0, to: bytes.count, by: piece / 2) {
            let connection = try open()
            bytes.withUnsafeBytes { bytes in
                let end = min(bytes.count, start + piece / 2)
                append(UnsafeRawBufferPointer(rebasing: bytes[start..<end]), to: connection)
            }
            try await connection.waitUntilSendable()
        }
    }

    package func write(_ text: String) async throws { try await write(Array(text.utf8)) }

    /// Sends what was written now rather than at the end of the tick.
    package func flush() { exchange.connection?.flush() }

    /// Ends the body cleanly. A handler that returns does so by itself; one that throws breaks it off.
    package func end() {
        if hasEnded { return }
        hasEnded = true
        exchange.endStream()
    }

    private func open() throws(ConnectionClosed) -> Connection {
        guard !hasEnded, let connection = exchange.connection, connection.isOpen else {
            throw ConnectionClosed()
        }
        return connection
    }

    private func append(_ bytes: UnsafeRawBufferPointer, to connection: Connection) {
        exchange.noteSent(bytes.count)
        connection.append(expecting: bytes.count + 24) { output in
            if isChunked { ChunkedEncoder.append(bytes, to: &output) } else { output.append(bytes) }
        }
    }
}
