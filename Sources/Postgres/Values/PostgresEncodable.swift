/// A value that may be bound as a parameter. Only these enter a statement other than as literal text.
package protocol PostgresEncodable: Sendable {
    static var postgresType: PostgresType { get }
    static var postgresFormat: PostgresFormat { get }
    /// Appends the value in wire form.
    func encode(into bytes: inout [UInt8])
}

package enum PostgresFormat: Int32, Sendable {
    case text = 0
    case binary = 1
}

extension PostgresEncodable {
    package static var postgresFormat: PostgresFormat { .binary }
}

/// An enumeration or identifier is bound as its raw value: declare the conformance and nothing else.
extension PostgresEncodable where Self: RawRepresentable, RawValue: PostgresEncodable {
    package static var postgresType: PostgresType { RawValue.postgresType }
    package static var postgresFormat: PostgresFormat { RawValue.postgresFormat }
    package func encode(into bytes: inout [UInt8]) { rawValue.encode(into: &bytes) }
}
