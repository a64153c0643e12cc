import Base
import CPostgres
import Loop

/// Takes the rows of a COPY, in Postgres's binary form: each value must have exactly its column's type.
// Confined to its loop.
package final class PostgresCopyWriter: @unchecked Sendable {
    /// Rows are handed to the server in pieces of about this size; then the writer waits for room.
    private static let pieceSize = 64 * 1024
    private static let signature: [UInt8] = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00]

    private let connection: PostgresConnection
    private let exchange: Exchange
    private let columnCount: Int
    private let deadline: Instant
    private var buffer: [UInt8] = []

    init(_ connection: PostgresConnection, _ exchange: Exchange, columnCount: Int, deadline: Instant) {
        self.connection = connection
        self.exchange = exchange
        self.columnCount = columnCount
        self.deadline = deadline
        buffer.append(contentsOf: Self.signature)
        // No flags, no extension.
        buffer.append(bigEndian: Int64(0))
    }

    /// Adds one row. Suspends while the server is behind.
    package func write<each Value: PostgresEncodable>(_ values: repeat (each Value)?)
        async throws(PostgresError)
    {
        var count: Int16 = 0
        for _ in repeat (each Value).self { count += 1 }
        guard Int(count) == columnCount else {
            throw PostgresError(.invalidParameter, "a row of \(count) values for \(columnCount) columns")
        }
        buffer.append(bigEndian: count)
        for value in repeat each values { append(value) }
        if buffer.count >= Self.pieceSize { try await send() }
    }

    private func append(_ value: (some PostgresEncodable)?) {
        guard let value else { return buffer.append(bigEndian: Int32(-1)) }
        let lengthAt = buffer.count
        buffer.append(bigEndian: Int32(0))
        value.encode(into: &buffer)
        buffer.setLength(at: lengthAt)
    }

    func finish() async throws(PostgresError) {
        buffer.append(bigEndian: Int16(-1))
        try await send()
    }

    private func send() async throws(PostgresError) {
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
