/// A `jsonb` or `json` column: the text, unparsed.
package struct PostgresJSON: Hashable, PostgresCodable {
    package var bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }
    package init(_ text: String) { bytes = Array(text.utf8) }

    package var text: String { String(decoding: bytes, as: UTF8.self) }

    package static var postgresType: PostgresType { .jsonb }

    /// `jsonb` on the wire is its text after a version.
    private static let version: UInt8 = 1

    package func encode(into bytes: inout [UInt8]) {
        bytes.append(Self.version)
        bytes.append(contentsOf: self.bytes)
    }

    package static func decode(_ cell: PostgresCell) throws(PostgresDecodingFailure) -> PostgresJSON {
        let bytes = try cell.bytes(of: .jsonb, .json)
        if cell.type == .json { return PostgresJSON(Array(bytes)) }
        guard bytes.first == version else { throw .malformed(.jsonb, reason: "an unknown version") }
        return PostgresJSON(Array(bytes.dropFirst()))
    }
}
