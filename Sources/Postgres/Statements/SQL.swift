import Base

/// A statement whose interpolated values are bound, never pasted:
///
///     let query: SQL = "SELECT id FROM users WHERE org_id = \(orgID) AND name = \(name)"
///
/// sends `… WHERE org_id = $1 AND name = $2`. Another `SQL` may be interpolated as a fragment. Text that is
/// not a value enters only through the labelled exit `\(unsafeSQL: …)`.
package struct SQL: Sendable, ExpressibleByStringInterpolation, CustomStringConvertible {
    /// What the server parses: placeholders, no values.
    package private(set) var text: String
    private(set) var bindings: PostgresBindings
    /// Whether a connection keeps it prepared. Transaction control is not: a ROLLBACK must get through where
    /// the deallocation of another statement, which preparing it may bring along, would fail.
    private(set) var isKeptPrepared = true
    /// Where in the UTF-8 of `text` the digits of each placeholder start, so that a fragment can be
    /// renumbered.
    private var placeholders: [Int]

    package init(stringLiteral value: String) {
        text = value
        bindings = PostgresBindings()
        placeholders = []
    }

    package init(stringInterpolation: StringInterpolation) { self = stringInterpolation.sql }

    /// Safe to log: the text without the values.
    package var description: String { text }

    /// The statements one after the other, between them `separator`. An empty list is empty text.
    package static func joined(_ parts: [SQL], by separator: StaticString) -> SQL {
        var result: SQL = ""
        for (index, part) in parts.enumerated() {
            if index > 0 { result.text += separator.description }
            result.append(part)
        }
        return result
    }

    /// BEGIN, COMMIT, ROLLBACK, SAVEPOINT and the like.
    static func control(_ sql: SQL) -> SQL {
        var control = sql
        control.isKeptPrepared = false
        return control
    }

    private mutating func append(_ fragment: SQL) {
        if bindings.count == 0 {
            placeholders = fragment.placeholders.map { $0 + text.utf8.count }
            text += fragment.text
        } else {
            appendRenumbered(fragment)
        }
        bindings.append(contentsOf: fragment.bindings)
    }

    private mutating func appendRenumbered(_ fragment: SQL) {
        let source = Array(fragment.text.utf8)
        var copied = 0
        for (index, start) in fragment.placeholders.enumerated() {
            text += String(decoding: source[copied..<start], as: UTF8.self)
            placeholders.append(text.utf8.count)
            text += String(bindings.count + index + 1)
            copied = start + String(index + 1).utf8.count
        }
        text += String(decoding: source[copied...], as: UTF8.self)
    }

    private mutating func appendPlaceholder() {
        text += "$"
        placeholders.append(text.utf8.count)
        text += String(bindings.count)
    }

    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var sql: SQL

        package init(literalCapacity: Int, interpolationCount: Int) {
            sql = SQL(stringLiteral: "")
            sql.text.reserveCapacity(literalCapacity + 2 * interpolationCount)
        }

        package mutating func appendLiteral(_ literal: String) { sql.text += literal }

        package mutating func appendInterpolation(_ value: some PostgresEncodable) {
            sql.bindings.append(value)
            sql.appendPlaceholder()
        }

        package mutating func appendInterpolation<Value: PostgresEncodable>(_ value: Value?) {
            sql.bindings.append(value)
            sql.appendPlaceholder()
        }

        package mutating func appendInterpolation(_ fragment: SQL) { sql.append(fragment) }

        /// Pastes `text` as it is. Never anything that came from outside.
        package mutating func appendInterpolation(unsafeSQL text: String) { sql.text += text }
    }
}
