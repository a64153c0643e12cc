/// One row of an answer.
package struct PostgresRow: Sendable {
    let rows: PostgresRows
    let index: Int32

    /// The column named `column`.
    package func decode<Value: PostgresDecodable>(
        _ type: Value.Type, _ column: String
    ) throws(PostgresError) -> Value {
        guard let position = rows.column(named: column) else {
            let names = rows.columnNames.joined(separator: ", ")
            throw PostgresError(.decoding, "column \"\(column)\": not among \(names)")
        }
        return try decode(type, at: position)
    }

    /// The only column.
    package func decode<Value: PostgresDecodable>(_ type: Value.Type) throws(PostgresError) -> Value {
        guard rows.columnCount == 1 else {
            throw PostgresError(.decoding, "expected 1 columns, got \(rows.columnCount)")
        }
        return try decode(type, at: 0)
    }

    /// All columns in their order: `try row.decode((UUID, String, Int64?).self)`.
    package func decode<each Value: PostgresDecodable>(
        _ types: (repeat each Value).Type
    ) throws(PostgresError) -> (repeat each Value) {
        var expected = 0
        for _ in repeat (each Value).self { expected += 1 }
        guard expected == rows.columnCount else {
            throw PostgresError(.decoding, "expected \(expected) columns, got \(rows.columnCount)")
        }
        var position: Int32 = -1
        func next<Next: PostgresDecodable>(_ type: Next.Type) throws(PostgresError) -> Next {
            position += 1
            return try decode(type, at: position)
        }
        return (repeat try next((each Value).self))
    }

    private func decode<Value: PostgresDecodable>(
        _ type: Value.Type, at column: Int32
    ) throws(PostgresError) -> Value {
        do throws(PostgresDecodingFailure) {
            return try Value.decode(rows.cell(row: index, column: column))
        } catch {
            let name = rows.columnName(column)
            let message = error == .null ? "column \"\(name)\" \(error)" : "column \"\(name)\": \(error)"
            throw PostgresError(.decoding, message)
        }
    }
}
