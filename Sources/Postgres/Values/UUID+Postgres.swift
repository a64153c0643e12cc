package import Base

extension UUID: PostgresCodable {
    package static var postgresType: PostgresType { .uuid }

    package func encode(into bytes: inout [UInt8]) {
        bytes.append(bigEndian: high)
        bytes.append(bigEndian: low)
    }

    package static func decode(_ cell: PostgresCell) throws(PostgresDecodingFailure) -> UUID {
        let bytes = try cell.bytes(of: .uuid)
        guard bytes.count == 16 else { throw .malformed(.uuid, reason: "\(bytes.count) bytes") }
        return UUID(
            high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
            low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    }
}

extension UUID: PostgresArrayElement {
    package static var postgresArrayType: PostgresType { .uuidArray }
    package static func encodeArray(_ array: [UUID], into bytes: inout [UInt8]) {
        PostgresArrayWire.encode(array, of: .uuid, into: &bytes)
    }
    package static func decodeArray(_ cell: PostgresCell) throws(PostgresDecodingFailure) -> [UUID] {
        try PostgresArrayWire.decode(cell, .uuidArray)
    }
}
