package import Base

extension [UInt8] {
    /// Appends `value` in network byte order.
    mutating func append(bigEndian value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }
}

extension Bool: PostgresCodable {
    package static var postgresType: PostgresType { .bool }
    package func encode(into bytes: inout [UInt8]) { bytes.append(self ? 1 : 0) }
    package static func decode(_ cell: PostgresCell) throws(PostgresDecodingFailure) -> Bool {
        try cell.integer(.bool, as: UInt8.self) != 0
    }
}

extension Int16: PostgresCodable {
    package static var postgresType: PostgresType { .smallint }
    package func encode(into bytes: inout [UInt8]) { bytes.append(bigEndian: self) }
    package static func decode(_ cell: PostgresCell) throws(PostgresDecodingFailure) -> Int16 {
        try cell.integer(.smallint, as: Int16.self)
    }
}

extension Int32: PostgresCodable {
    package static var postgresType: PostgresType { .integer }
    package func encode(into bytes: inout [UInt8]) { bytes.append(bigEndian: self) }
    package static func decode(_ cell: PostgresCell) throws(PostgresDecodingFailure) -> Int32 {
        switch cell.type {
        case .smallint: Int32(try cell.integer(.smallint, as: Int16.self))
        default: try cell.integer(.integer, as: Int32.self)
        }
    }
}

extension Int64: PostgresCodable {
    package static var postgresType: PostgresType { .bigint }
    package func encode(into bytes: inout [UInt8]) { bytes.append(bigEndian: self) }
    /// Reads every integer type: what is narrower always fits.
    package static func decode(_ cell: PostgresCell) throws(PostgresDecodingFailure) -> Int64 {
        switch cell.type {
        case .smallint: Int64(try cell.integer(.smallint, as: Int16.self))
        case .integer: Int64(try cell.integer(.integer, as: Int32.self))
        case .oid: Int64(try cell.integer(.oid, as: UInt32.self))
        default: try cell.integer(.bigint, as: Int64.self)
        }
    }
}

extension Int: PostgresCodable {
    package static var postgresType: PostgresType { .bigint }
    package func encode(into bytes: inout [UInt8]) { bytes.append(bigEndian: Int64(self)) }
    package static func decode(_ cell: PostgresCell) throws(PostgresDecodingFailure) -> Int {
        Int(try Int64.decode(cell))
    }
}

extension Double: PostgresCodable {
    package static var postgresType: PostgresType { .doublePrecision }
    package func encode(into bytes: inout [UInt8]) { bytes.append(bigEndian: bitPattern) }
    package static func decode(_ cell: PostgresCell) throws(PostgresDecodingFailure) -> Double {
        switch cell.type {
        case .real: Double(Float(bitPattern: try cell.integer(.real, as: UInt32.self)))
        default: Double(bitPattern: try cell.integer(.doublePrecision, as: UInt64.self))
        }
    }
}

/// Bound without a type, so that a string also serves where a column is an enumeration, `citext` or `jsonb`.
extension String: PostgresCodable {
    package static var postgresType: PostgresType { .inferred }
    package static var postgresFormat: PostgresFormat { .text }
    package func encode(into bytes: inout [UInt8]) { bytes.append(self) }
    package static func decode(_ cell: PostgresCell) throws(PostgresDecodingFailure) -> String {
        // Types that an extension or a migration declares (citext, enumerations) have numbers of their own,
        // above the system's, and the same form as text.
        let isDeclared = cell.type.rawValue >= 16_384
        let bytes =
            isDeclared
            ? try cell.bytes(of: cell.type) : try cell.bytes(of: .text, .varchar, .char, .name, .unknown)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .malformed(cell.type, reason: "not UTF-8")
        }
        return text
    }
}

extension Timestamp: PostgresCodable {
    /// 2000-01-01, where Postgres begins to count, in microseconds since 1970.
    private static let epoch: Int64 = 946_684_800_000_000

    package static var postgresType: PostgresType { .timestamptz }

    /// The ends of the range stand for `infinity` and `-infinity`, on the wire as here.
    package func encode(into bytes: inout [UInt8]) {
        let isInfinite = microseconds == .max || microseconds == .min
        let (shifted, overflow) = microseconds.subtractingReportingOverflow(Self.epoch)
        // What is out of Postgres's range goes out as something it refuses with a message of its own.
        bytes.append(bigEndian: isInfinite ? microseconds : overflow ? .min + 1 : shifted)
    }

    package static func decode(_ cell: PostgresCell) throws(PostgresDecodingFailure) -> Timestamp {
        let value = try cell.integer(.timestamptz, as: Int64.self)
        if value == .max || value == .min { return Timestamp(microseconds: value) }
        let (shifted, overflow) = value.addingReportingOverflow(epoch)
        guard !overflow else { throw .malformed(.timestamptz, reason: "later than a Timestamp can be") }
        return Timestamp(microseconds: shifted)
    }
}
