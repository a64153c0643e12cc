/// One schema of those that a schema is made of. What it does not say is left empty; other schemas are named by their
/// places.
// Not changed once the schema was read.
package final class JSONSchemaNode: @unchecked Sendable {
    /// No value fits: the schema `false`.
    package internal(set) var isNever = false
    package internal(set) var types: Types?
    /// `const` and `enum`: a value fits if it is among each of these.
    package internal(set) var choices: [[JSONValue]] = []
    var canonicalChoices: [Set<[UInt8]>] = []

    package internal(set) var reference: Int?
    package internal(set) var allOf: [Int] = []
    package internal(set) var anyOf: [Int] = []
    package internal(set) var oneOf: [Int] = []
    package internal(set) var not: Int?
    package internal(set) var condition: Int?
    package internal(set) var consequence: Int?
    package internal(set) var alternative: Int?

    package internal(set) var minimum: Bound?
    package internal(set) var maximum: Bound?
    package internal(set) var divisor: Number?

    package internal(set) var minimumLength = 0
    package internal(set) var maximumLength: Int?
    package internal(set) var pattern: TextPattern?
    /// Says what a text is for; not checked.
    package internal(set) var format: String?

    /// By their names as bytes: Swift takes strings for equal that JSON does not.
    package internal(set) var properties: [[UInt8]: Int] = [:]
    /// The names of `properties` in their order.
    package internal(set) var propertyNames: [String] = []
    package internal(set) var patternProperties: [(pattern: TextPattern, node: Int)] = []
    package internal(set) var additionalProperties: Int?
    package internal(set) var keys: Int?
    package internal(set) var required: [String] = []
    package internal(set) var minimumProperties = 0
    package internal(set) var maximumProperties: Int?
    package internal(set) var dependentRequired: [(key: String, required: [String])] = []
    package internal(set) var dependentSchemas: [(key: String, node: Int)] = []

    package internal(set) var prefixItems: [Int] = []
    package internal(set) var items: Int?
    package internal(set) var minimumItems = 0
    package internal(set) var maximumItems: Int?
    package internal(set) var hasUniqueItems = false
    package internal(set) var contains: Int?
    package internal(set) var minimumContains = 1
    package internal(set) var maximumContains: Int?

    /// A number with the value that its text says.
    package struct Number: Sendable {
        package var text: String
        package var value: DecimalNumber
    }

    package struct Bound: Sendable {
        package var number: Number
        package var isExclusive: Bool
    }

    package struct Types: OptionSet, Sendable {
        package let rawValue: Int

        package init(rawValue: Int) { self.rawValue = rawValue }

        package static let null = Types(rawValue: 1)
        package static let boolean = Types(rawValue: 2)
        package static let object = Types(rawValue: 4)
        package static let array = Types(rawValue: 8)
        package static let number = Types(rawValue: 16)
        package static let string = Types(rawValue: 32)
        package static let integer = Types(rawValue: 64)

        package static let names: [(name: String, type: Types)] = [
            ("null", .null), ("boolean", .boolean), ("object", .object), ("array", .array),
            ("number", .number), ("string", .string), ("integer", .integer),
        ]

        init?(name: String) {
            guard let found = Self.names.first(where: { $0.name == name }) else { return nil }
            self = found.type
        }

        package func takes(_ value: JSONValue) -> Bool {
            switch value.kind {
            case .null: contains(.null)
            case .bool: contains(.boolean)
            case .object: contains(.object)
            case .array: contains(.array)
            case .string: contains(.string)
            case .number:
                contains(.number)
                    || contains(.integer) && DecimalNumber(value.number ?? "").isWhole
            }
        }

        /// For people: `a string or null`.
        var noun: String {
            let nouns: [(Types, String)] = [
                (.object, "an object"), (.array, "an array"), (.string, "a string"), (.number, "a number"),
                (.integer, "an integer"), (.boolean, "true or false"), (.null, "null"),
            ]
            return nouns.filter { contains($0.0) }.map(\.1).joined(separator: " or ")
        }
    }

    /// The schemas that are about the same value as this one.
    var nested: [Int] {
        allOf + anyOf + oneOf + dependentSchemas.map(\.node)
            + [reference, not, condition, consequence, alternative].compactMap { $0 }
    }
}
