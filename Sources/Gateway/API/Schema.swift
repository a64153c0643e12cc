import JSON

/// What a JSON value must be. Checks values, finding every fault, and writes itself as JSON Schema (2020-12): the two
/// say the same.
package struct Schema: Sendable {
    package let kind: Kind
    /// Under which it stands in the document's components, to be written once.
    package private(set) var component: String?
    package private(set) var description: String?

    package indirect enum Kind: Sendable {
        case string(TextRule)
        case choice([String])
        case integer(ClosedRange<Int>)
        case number(ClosedRange<Double>)
        case boolean
        case array(of: Schema, count: ClosedRange<Int>, isUnique: Bool)
        /// An open one may have more fields than these, of whatever kind.
        case object([Field], isOpen: Bool)
        case map(of: Schema, keys: TextRule, maximumCount: Int)
        case anyOf([Schema])
        /// Whatever the database can hold: no U+0000, no number beyond a double.
        case any
        /// Whatever JSON can say.
        case free
    }

    private init(_ kind: Kind) { self.kind = kind }

    // MARK: Scalars

    /// Any text but U+0000, which PostgreSQL cannot hold. Lengths are in Unicode scalars.
    package static func string(_ lengths: ClosedRange<Int>) -> Schema { Schema(.string(.any(lengths))) }
    package static func string(_ rule: TextRule) -> Schema { Schema(.string(rule)) }
    /// Without control characters: a name.
    package static func line(_ lengths: ClosedRange<Int>) -> Schema { Schema(.string(.line(lengths))) }
    /// As `string`; shown by no tool. Read it with `Fields.secret`.
    package static func secret(_ lengths: ClosedRange<Int>) -> Schema { Schema(.string(.secret(lengths))) }
    package static let timestamp = Schema(.string(.timestamp))
    package static let uuid = Schema(.string(.uuid))
    package static let email = Schema(.string(.email))
    /// http or https, without userinfo and fragment.
    package static let url = Schema(.string(.url))

    package static func choice(_ choices: [String]) -> Schema {
        precondition(!choices.isEmpty && Set(choices).count == choices.count)
        return Schema(.choice(choices))
    }
    package static func choice<Choice: CaseIterable & RawRepresentable<String>>(
        of type: Choice.Type
    ) -> Schema { .choice(type.allCases.map(\.rawValue)) }

    /// `1`, `1.0` and `10e-1` are all one.
    package static func integer(_ range: ClosedRange<Int>) -> Schema { Schema(.integer(range)) }
    package static func number(_ range: ClosedRange<Double>) -> Schema { Schema(.number(range)) }
    package static let boolean = Schema(.boolean)

    // MARK: Compounds

    package static func array(
        of element: Schema, _ count: ClosedRange<Int> = 0...100, isUnique: Bool = false
    ) -> Schema { Schema(.array(of: element, count: count, isUnique: isUnique)) }

    package static func object(_ fields: [Field]) -> Schema { object(fields, isOpen: false) }
    /// For documents of others: only the fields that matter here are described.
    package static func openObject(_ fields: [Field]) -> Schema { object(fields, isOpen: true) }

    private static func object(_ fields: [Field], isOpen: Bool) -> Schema {
        precondition(Set(fields.map(\.name)).count == fields.count, "a field is described twice")
        return Schema(.object(fields, isOpen: isOpen))
    }

    /// An object whose keys are the caller's.
    package static func map(
        of value: Schema, keys: TextRule = .line(1...64), maximumCount: Int = 100
    ) -> Schema { Schema(.map(of: value, keys: keys, maximumCount: maximumCount)) }

    package static func anyOf(_ schemas: [Schema]) -> Schema { Schema(.anyOf(schemas)) }
    package static let any = Schema(.any)
    /// For documents of others, of which nothing is kept.
    package static let free = Schema(.free)
    /// Any text at all, for documents of others.
    package static let freeText = Schema(.string(TextRule(0...Int.max)))

    // MARK: Names

    /// The same, written once in the document under `component`, which no other schema may have.
    package func named(_ component: String) -> Schema {
        var schema = self
        schema.component = component
        return schema
    }

    package func described(_ description: String) -> Schema {
        var schema = self
        schema.description = description
        return schema
    }

    /// Whether a value fits in a query.
    var isScalar: Bool {
        switch kind {
        case .string, .choice, .integer, .number, .boolean: true
        case .array, .object, .map, .anyOf, .any, .free: false
        }
    }

    /// Whether it is an object of these fields and no others.
    package var isClosedObject: Bool {
        if case .object(_, let isOpen) = kind { !isOpen } else { false }
    }

    var fields: [Field] {
        if case .object(let fields, _) = kind { fields } else { [] }
    }

    /// What it takes, for people: `a string`.
    var noun: String {
        switch kind {
        case .string(let rule): rule.noun
        case .choice(let choices): "one of \(choices.joined(separator: ", "))"
        case .integer: "a whole number"
        case .number: "a number"
        case .boolean: "true or false"
        case .array: "a list"
        case .object, .map: "an object"
        case .anyOf(let schemas): schemas.map(\.noun).joined(separator: " or ")
        case .any, .free: "a value"
        }
    }

    /// What every value that it takes is in JSON; `nil` where there are several.
    var jsonKind: JSONValue.Kind? {
        switch kind {
        case .string, .choice: .string
        case .integer, .number: .number
        case .boolean: .bool
        case .array: .array
        case .object, .map: .object
        case .anyOf, .any, .free: nil
        }
    }
}
