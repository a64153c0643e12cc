/// A Postgres type by its number (OID). Only types this target encodes or decodes have a name here.
package struct PostgresType: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Left to the server, which infers it from the place of the parameter.
    package static let inferred = PostgresType(rawValue: 0)
    package static let bool = PostgresType(rawValue: 16)
    package static let bytea = PostgresType(rawValue: 17)
    package static let name = PostgresType(rawValue: 19)
    package static let bigint = PostgresType(rawValue: 20)
    package static let smallint = PostgresType(rawValue: 21)
    package static let integer = PostgresType(rawValue: 23)
    package static let text = PostgresType(rawValue: 25)
    package static let oid = PostgresType(rawValue: 26)
    package static let json = PostgresType(rawValue: 114)
    package static let real = PostgresType(rawValue: 700)
    package static let doublePrecision = PostgresType(rawValue: 701)
    package static let unknown = PostgresType(rawValue: 705)
    package static let char = PostgresType(rawValue: 1042)
    package static let varchar = PostgresType(rawValue: 1043)
    package static let date = PostgresType(rawValue: 1082)
    package static let timestamp = PostgresType(rawValue: 1114)
    package static let timestamptz = PostgresType(rawValue: 1184)
    package static let interval = PostgresType(rawValue: 1186)
    package static let numeric = PostgresType(rawValue: 1700)
    package static let void = PostgresType(rawValue: 2278)
    package static let uuid = PostgresType(rawValue: 2950)
    package static let jsonb = PostgresType(rawValue: 3802)
    package static let textArray = PostgresType(rawValue: 1009)
    package static let varcharArray = PostgresType(rawValue: 1015)
    package static let bigintArray = PostgresType(rawValue: 1016)
    package static let uuidArray = PostgresType(rawValue: 2951)

    private static let names: [PostgresType: String] = [
        .inferred: "inferred", .bool: "boolean", .bytea: "bytea", .name: "name", .bigint: "bigint",
        .smallint: "smallint", .integer: "integer", .text: "text", .oid: "oid", .json: "json", .real: "real",
        .doublePrecision: "double precision", .unknown: "unknown", .char: "char", .varchar: "varchar",
        .date: "date", .timestamp: "timestamp", .timestamptz: "timestamptz", .interval: "interval",
        .numeric: "numeric", .void: "void", .uuid: "uuid", .jsonb: "jsonb", .textArray: "text[]",
        .varcharArray: "varchar[]", .bigintArray: "bigint[]", .uuidArray: "uuid[]",
    ]

    package var description: String { Self.names[self] ?? "type \(rawValue)" }
}
