import Base
import CPostgres
import Loop

/// Writes what a COPY takes in.
protocol CopyWriter {
    /// Sends what is left.
    func finish() async throws(PostgresError)
}

/// The way of a COPY's bytes to the server.
// Confined to its loop.
struct CopyPipe {
    /// Rows are handed to the server in pieces of about this size; then the writer waits for room.
    static let pieceSize = 64 * 1024

    private let connection: PostgresConnection
    private let exchange: Exchange
    private let deadline: Instant

    init(_ connection: PostgresConnection, _ exchange: Exchange, deadline: Instant) {
        self.connection = connection
        self.exchange = exchange
        self.deadline = deadline
    }

    /// Sends and empties it.
    func send(_ buffer: inout [UInt8]) async throws(PostgresError) {
        guard let handle = connection.handle else { throw lost }
        let queued = buffer.withUnsafeBytes { bytes in
            PQputCopyData(handle, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(bytes.count))
        }
        buffer.removeAll(keepingCapacity: true)
        guard queued == 1 else {
            connection.lose(PostgresError(.connectionLost, "libpq takes no more rows"))
            throw lost
        }
        if Task.isCancelled { throw PostgresError(.cancelled, "the task was cancelled") }
        while !connection.push() {
            guard connection.isOpen else { throw lost }
            do throws(WaitFailure) {
                try await connection.writable.wait(until: deadline)
            } catch {
                throw error == .cancelled
                    ? PostgresError(.cancelled, "the task was cancelled")
                    : PostgresError(.deadlineExceeded, "the server takes rows too slowly")
            }
        }
    }

    private var lost: PostgresError {
        exchange.failure ?? PostgresError(.connectionLost, "the connection was lost during a copy")
    }
}
