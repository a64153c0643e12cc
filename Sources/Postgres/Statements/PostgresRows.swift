import CPostgres
import Glibc

/// The answer to one statement. Rows are views into it; nothing is copied until it is decoded.
// libpq does not change a result once it is complete, and reading it needs no state.
package final class PostgresRows: @unchecked Sendable, RandomAccessCollection {
    private let result: OpaquePointer
    package let count: Int
    let columnCount: Int

    /// Takes over `result` and frees it.
    init(_ result: OpaquePointer) {
        self.result = result
        count = Int(PQntuples(result))
        columnCount = Int(PQnfields(result))
    }

    deinit { PQclear(result) }

    package var startIndex: Int { 0 }
    package var endIndex: Int { count }
    package subscript(position: Int) -> PostgresRow {
        precondition(position >= 0 && position < count, "no such row")
        return PostgresRow(rows: self, index: Int32(position))
    }

    /// How many rows an INSERT, UPDATE, DELETE or SELECT touched.
    package var affectedRows: Int { PQcmdTuples(result).flatMap { Int(String(cString: $0)) } ?? 0 }

    /// What the server says it did: `INSERT 0 1`, `COMMIT`.
    var commandTag: String { PQcmdStatus(result).map { String(cString: $0) } ?? "" }

    package var columnNames: [String] { (0..<columnCount).map { columnName(Int32($0)) } }

    func columnName(_ column: Int32) -> String { PQfname(result, column).map { String(cString: $0) } ?? "" }

    func column(named name: String) -> Int32? {
        for column in 0..<Int32(columnCount) {
            if let candidate = PQfname(result, column), strcmp(candidate, name) == 0 { return column }
        }
        return nil
    }

    func cell(row: Int32, column: Int32) -> PostgresCell {
        var bytes: UnsafeRawBufferPointer?
        if PQgetisnull(result, row, column) == 0 {
            bytes = UnsafeRawBufferPointer(
                start: PQgetvalue(result, row, column), count: Int(PQgetlength(result, row, column)))
        }
        return PostgresCell(
            bytes: bytes, type: PostgresType(rawValue: PQftype(result, column)),
            format: PQfformat(result, column) == 1 ? .binary : .text)
    }

    /// Every row through `body`.
    package func decode<Row>(_ body: (PostgresRow) throws(PostgresError) -> Row) throws(PostgresError)
        -> [Row]
    {
        var decoded: [Row] = []
        decoded.reserveCapacity(count)
        for row in self { decoded.append(try body(row)) }
        return decoded
    }

    /// Every row's only column.
    package func decode<Value: PostgresDecodable>(_ type: Value.Type) throws(PostgresError) -> [Value] {
        var decoded: [Value] = []
        decoded.reserveCapacity(count)
        for row in self { decoded.append(try row.decode(type)) }
        return decoded
    }

    /// Every row as a tuple of all columns in their order.
    package func decode<each Value: PostgresDecodable>(
        _ types: (repeat each Value).Type
    ) throws(PostgresError) -> [(repeat each Value)] {
        var decoded: [(repeat each Value)] = []
        decoded.reserveCapacity(count)
        for row in self { decoded.append(try row.decode(types)) }
        return decoded
    }
}
