import Base

/// Takes the rows of a COPY, in Postgres's binary form: each value must have exactly its column's type.
// Confined to its loop.
package final class PostgresCopyWriter: CopyWriter, @unchecked Sendable {
    private static let signature: [UInt8] = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00]

    private let columnCount: Int
    private let pipe: CopyPipe
    private var buffer: [UInt8] = []

    init(_ connection: PostgresConnection, _ exchange: Exchange, columnCount: Int, deadline: Instant) {
        self.columnCount = columnCount
        pipe = CopyPipe(connection, exchange, deadline: deadline)
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
        if buffer.count >= CopyPipe.pieceSize { try await pipe.send(&buffer) }
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
        try await pipe.send(&buffer)
    }
}

/// Takes the lines of a COPY.
// Confined to its loop.
package final class PostgresTextCopyWriter: CopyWriter, @unchecked Sendable {
    private let pipe: CopyPipe
    private var buffer: [UInt8] = []

    init(_ connection: PostgresConnection, _ exchange: Exchange, deadline: Instant) {
        pipe = CopyPipe(connection, exchange, deadline: deadline)
    }

    /// Adds whole lines, each with its end. Suspends while the server is behind.
    package func write(lines: ArraySlice<UInt8>) async throws(PostgresError) {
        buffer += lines
        if buffer.count >= CopyPipe.pieceSize { try await pipe.send(&buffer) }
    }

    func finish() async throws(PostgresError) {
        if !buffer.isEmpty { try await pipe.send(&buffer) }
    }
}
