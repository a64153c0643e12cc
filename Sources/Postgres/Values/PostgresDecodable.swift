/// A value that a column's bytes can be read as.
package protocol PostgresDecodable: Sendable {
    static func decode(_ cell: PostgresCell) throws(PostgresDecodingFailure) -> Self
}

/// Why a column could not be read as what was asked for. The row adds the column's name.
package enum PostgresDecodingFailure: Error, Equatable, Sendable, CustomStringConvertible {
    case null
    case type(expected: PostgresType, got: PostgresType)
    case malformed(PostgresType, reason: String)

    package var description: String {
        switch self {
        case .null: "is NULL"
        case .type(let expected, let got): "expected \(expected), got \(got)"
        case .malformed(let type, let reason): "malformed \(type): \(reason)"
        }
    }
}

/// One column of one row, as the server sent it. Valid while its rows are.
package struct PostgresCell {
    /// `nil` is NULL.
    let bytes: UnsafeRawBufferPointer?
    let type: PostgresType
    let format: PostgresFormat

    /// The bytes, when the column is one of `types` and not NULL.
    func bytes(of types: PostgresType...) throws(PostgresDecodingFailure) -> UnsafeRawBufferPointer {
        guard let bytes else { throw .null }
        guard types.contains(type) else { throw .type(expected: types[0], got: type) }
        guard format == .binary else { throw .malformed(type, reason: "the result is in text form") }
        return bytes
    }

    func integer<Value: FixedWidthInteger>(
        _ type: PostgresType, as: Value.Type
    ) throws(PostgresDecodingFailure) -> Value {
        let bytes = try bytes(of: type)
        guard bytes.count == MemoryLayout<Value>.size else {
            throw .malformed(type, reason: "\(bytes.count) bytes")
        }
        return Value(bigEndian: bytes.loadUnaligned(as: Value.self))
    }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    package static func decode(_ cell: PostgresCell) throws(PostgresDecodingFailure) -> Wrapped? {
        cell.bytes == nil ? nil : try Wrapped.decode(cell)
    }
}

/// An enumeration or identifier is read from its raw value: declare the conformance and nothing else.
extension PostgresDecodable where Self: RawRepresentable, RawValue: PostgresDecodable {
    package static func decode(_ cell: PostgresCell) throws(PostgresDecodingFailure) -> Self {
        let raw = try RawValue.decode(cell)
        guard let value = Self(rawValue: raw) else {
            throw .malformed(cell.type, reason: "not one of the values of \(Self.self)")
        }
        return value
    }
}

package typealias PostgresCodable = PostgresEncodable & PostgresDecodable
