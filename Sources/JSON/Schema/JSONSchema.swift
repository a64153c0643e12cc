/// A JSON schema (draft 2020-12) that was read once and checks values.
///
/// What it knows is in the folder's README; keywords that only describe, and those that nobody knows, are let be. One
/// that would decide whether a value fits and is not supported makes the schema no schema here.
package struct JSONSchema: Sendable {
    /// What the schema is made of; they name each other by their places.
    package let nodes: [JSONSchemaNode]
    /// The place of the whole.
    package let root: Int

    /// What is wrong, and where.
    package struct Fault: Equatable, Sendable {
        /// A JSON pointer (RFC 6901) into the value or the schema; empty for the whole.
        package var pointer: String
        /// As it goes on after the place: "must be a string".
        package var message: String

        package init(_ pointer: String, _ message: String) {
            self.pointer = pointer
            self.message = message
        }
    }

    /// Why a value is no schema.
    package struct Faults: Error, Equatable, Sendable {
        package let faults: [Fault]
    }

    /// Who gets more of them wrong has read none.
    package static let largestFaultCount = 50
    /// A schema has no more parts.
    package static let largestNodeCount = 20_000
    /// Parts about one and the same value nest no deeper: references to references, alternatives of alternatives.
    package static let deepestNesting = 48
    /// How much work a check is.
    package static let largestStepCount = 200_000

    package init(_ schema: JSONValue) throws(Faults) {
        var compiler = SchemaCompiler(schema)
        root = compiler.compile()
        nodes = compiler.nodes
        if compiler.faults.isEmpty { compiler.checkNesting() }
        if !compiler.faults.isEmpty { throw Faults(faults: compiler.faults) }
    }

    /// What is wrong with `value`; nothing where it fits.
    package func faults(of value: JSONValue) -> [Fault] {
        var check = SchemaCheck(nodes)
        check.run(value, root)
        return check.faults
    }

    package func takes(_ value: JSONValue) -> Bool { faults(of: value).isEmpty }
}

/// How a key, or a place, is written into a pointer: what is the client's own text is cut.
func appendPointer(_ key: String, to pointer: inout String) {
    let largestKey = 64
    pointer += "/"
    for scalar in key.unicodeScalars.prefix(largestKey) {
        switch scalar {
        case "~": pointer += "~0"
        case "/": pointer += "~1"
        default: pointer.unicodeScalars.append(scalar.value < 0x20 ? "\u{FFFD}" : scalar)
        }
    }
    if key.unicodeScalars.count > largestKey { pointer += "…" }
}
