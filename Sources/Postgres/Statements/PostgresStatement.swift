/// A statement as a value: its parameters are stored properties, `sql` binds them, and `Row` is what comes
/// back.
package protocol PostgresStatement: Sendable {
    associatedtype Row: Sendable
    var sql: SQL { get }
    static func decode(_ row: PostgresRow) throws(PostgresError) -> Row
}

/// A statement that gives no rows.
extension PostgresStatement where Row == Void {
    package static func decode(_ row: PostgresRow) {}
}
