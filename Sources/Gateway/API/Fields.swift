package import Base
package import JSON

/// The fields of a checked object, read by name. What the schema promises is there: asking for anything else is a
/// mistake in the program, and stops it.
package struct Fields: Sendable {
    private let object: JSONValue?
    private let fields: [Field]

    /// - Parameter object: `nil` where none was sent.
    package init(_ object: JSONValue?, _ fields: [Field]) {
        self.object = object
        self.fields = fields
    }

    // MARK: Whether

    /// Whether it was sent, `null` or not.
    package func isPresent(_ name: String) -> Bool { sent(name) != nil }
    /// Whether it was sent as `null`.
    package func isNull(_ name: String) -> Bool { sent(name)?.isNull ?? false }

    // MARK: What

    /// As it was sent, or its default; `nil` also for `null`.
    package func value(_ name: String) -> JSONValue? {
        let value = sent(name) ?? field(name).default
        return value.flatMap { $0.isNull ? nil : $0 }
    }

    package func optionalString(_ name: String) -> String? { value(name)?.string }
    package func string(_ name: String) -> String { required(optionalString(name), name) }

    package func optionalSecret(_ name: String) -> Secret? { optionalString(name).map { Secret($0) } }
    package func secret(_ name: String) -> Secret { required(optionalSecret(name), name) }

    package func optionalInteger(_ name: String) -> Int? { value(name)?.int }
    package func integer(_ name: String) -> Int { required(optionalInteger(name), name) }

    package func optionalNumber(_ name: String) -> Double? { value(name)?.double }
    package func number(_ name: String) -> Double { required(optionalNumber(name), name) }

    package func optionalBool(_ name: String) -> Bool? { value(name)?.bool }
    package func bool(_ name: String) -> Bool { required(optionalBool(name), name) }

    package func optionalID(_ name: String) -> UUID? { optionalString(name).flatMap { UUID($0) } }
    package func id(_ name: String) -> UUID { required(optionalID(name), name) }

    package func optionalTimestamp(_ name: String) -> Timestamp? {
        optionalString(name).flatMap { Timestamp(rfc3339: $0) }
    }
    package func timestamp(_ name: String) -> Timestamp { required(optionalTimestamp(name), name) }

    /// One of an enumeration that the schema lists: `Schema.choice(of:)`.
    package func optionalChoice<Choice: RawRepresentable<String>>(_ name: String, as type: Choice.Type)
        -> Choice?
    { optionalString(name).flatMap { Choice(rawValue: $0) } }
    package func choice<Choice: RawRepresentable<String>>(_ name: String, as type: Choice.Type) -> Choice {
        required(optionalChoice(name, as: type), name)
    }

    package func optionalStrings(_ name: String) -> [String]? {
        value(name).map { $0.elements.compactMap(\.string) }
    }
    package func strings(_ name: String) -> [String] { required(optionalStrings(name), name) }

    /// An object within.
    package func optionalFields(_ name: String) -> Fields? {
        value(name).map { Fields($0, field(name).schema.fields) }
    }

    /// All that was sent, in canonical spelling.
    package var canonical: [UInt8] { object?.canonical() ?? Array("{}".utf8) }

    // MARK: Inside

    private func field(_ name: String) -> Field {
        guard let field = fields.first(where: { $0.name == name }) else {
            preconditionFailure("no field \(name) is described")
        }
        return field
    }

    private func sent(_ name: String) -> JSONValue? { object?.member(field(name).name) }

    private func required<Value>(_ value: Value?, _ name: String) -> Value {
        guard let value else { preconditionFailure("\(name) may be absent, or is something else") }
        return value
    }
}
