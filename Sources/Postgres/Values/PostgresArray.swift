import Base

/// What an array of which may be bound and read: `text[]`, `bigint[]`, `uuid[]`, and bytes as `bytea`.
package protocol PostgresArrayElement: Sendable {
    static var postgresArrayType: PostgresType { get }
    static func encodeArray(_ array: [Self], into bytes: inout [UInt8])
    static func decodeArray(_ cell: PostgresCell) throws(PostgresDecodingFailure) -> [Self]
}

extension Array: PostgresEncodable where Element: PostgresArrayElement {
    package static var postgresType: PostgresType { Element.postgresArrayType }
    package func encode(into bytes: inout [UInt8]) { Element.encodeArray(self, into: &bytes) }
}

extension Array: PostgresDecodable where Element: PostgresArrayElement {
    package static func decode(_ cell: PostgresCell) throws(PostgresDecodingFailure) -> [Element] {
        try Element.decodeArray(cell)
    }
}

/// Bytes are one `bytea`, not an array.
extension UInt8: PostgresArrayElement {
    package static var postgresArrayType: PostgresType { .bytea }
    package static func encodeArray(_ array: [UInt8], into bytes: inout [UInt8]) {
        bytes.append(contentsOf: array)
    }
    package static func decodeArray(_ cell: PostgresCell) throws(PostgresDecodingFailure) -> [UInt8] {
        Array(try cell.bytes(of: .bytea))
    }
}

extension String: PostgresArrayElement {
    package static var postgresArrayType: PostgresType { .textArray }
    package static func encodeArray(_ array: [String], into bytes: inout [UInt8]) {
        PostgresArrayWire.encode(array, of: .text, into: &bytes)
    }
    package static func decodeArray(_ cell: PostgresCell) throws(PostgresDecodingFailure) -> [String] {
        try PostgresArrayWire.decode(cell, .textArray, .varcharArray)
    }
}

extension Int64: PostgresArrayElement {
    package static var postgresArrayType: PostgresType { .bigintArray }
    package static func encodeArray(_ array: [Int64], into bytes: inout [UInt8]) {
        PostgresArrayWire.encode(array, of: .bigint, into: &bytes)
    }
    package static func decodeArray(_ cell: PostgresCell) throws(PostgresDecodingFailure) -> [Int64] {
        try PostgresArrayWire.decode(cell, .bigintArray)
    }
}

/// The wire form of one-dimensional arrays: dimensions, a flag, the element type, the length, the lower
/// bound, then each element after its length.
enum PostgresArrayWire {
    private static let headerSize = 20

    static func encode<Element: PostgresEncodable>(
        _ array: [Element], of type: PostgresType, into bytes: inout [UInt8]
    ) {
        bytes.append(bigEndian: Int32(array.isEmpty ? 0 : 1))
        bytes.append(bigEndian: Int32(0))
        bytes.append(bigEndian: type.rawValue)
        if array.isEmpty { return }
        bytes.append(bigEndian: Int32(array.count))
        bytes.append(bigEndian: Int32(1))
        for element in array {
            let lengthAt = bytes.count
            bytes.append(bigEndian: Int32(0))
            element.encode(into: &bytes)
            bytes.setLength(at: lengthAt)
        }
    }

    static func decode<Element: PostgresDecodable>(
        _ cell: PostgresCell, _ type: PostgresType, _ alternative: PostgresType? = nil
    ) throws(PostgresDecodingFailure) -> [Element] {
        let bytes = try cell.type == alternative ? cell.bytes(of: cell.type) : cell.bytes(of: type)
        func malformed(_ reason: String) -> PostgresDecodingFailure { .malformed(cell.type, reason: reason) }
        func integer(_ offset: Int) -> Int {
            Int(Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self)))
        }

        guard bytes.count >= 12 else { throw malformed("cut short") }
        let dimensions = integer(0)
        if dimensions == 0 { return [] }
        guard dimensions == 1 else { throw malformed("\(dimensions) dimensions") }
        guard bytes.count >= headerSize else { throw malformed("cut short") }
        let elementType = PostgresType(rawValue: UInt32(truncatingIfNeeded: integer(8)))
        let count = integer(12)
        // Each element takes at least its length, so a count the bytes cannot hold is refused before it is
        // reserved.
        guard count >= 0, count <= (bytes.count - headerSize) / 4 else { throw malformed("cut short") }

        var elements: [Element] = []
        elements.reserveCapacity(count)
        var offset = headerSize
        for index in 0..<count {
            guard offset + 4 <= bytes.count else { throw malformed("cut short") }
            let length = integer(offset)
            offset += 4
            guard length >= 0 else { throw malformed("element \(index + 1) is NULL") }
            guard offset + length <= bytes.count else { throw malformed("cut short") }
            let element = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length])
            elements.append(
                try Element.decode(PostgresCell(bytes: element, type: elementType, format: .binary)))
            offset += length
        }
        return elements
    }
}

extension [UInt8] {
    /// Writes into the four bytes at `offset` how many bytes follow them.
    mutating func setLength(at offset: Int) {
        let length = UInt32(count - offset - 4)
        for index in 0..<4 { self[offset + index] = UInt8(truncatingIfNeeded: length >> (24 - 8 * index)) }
    }
}
