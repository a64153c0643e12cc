package import JSON

extension Schema: JSONWritable {
    /// As JSON Schema; a named one as a reference to the component of that name.
    package func write(to json: inout JSONWriter) { json.object { writeMembers(to: &$0) } }

    /// What stands in the document's components under the schema's name.
    package func writeDefinition(to json: inout JSONWriter) {
        json.object { json in
            json.field("description", ifPresent: description)
            writeKind(to: &json)
        }
    }

    /// - Parameter isDescribed: false where somebody else describes it.
    fileprivate func writeMembers(to json: inout JSONWriter, isDescribed: Bool = true) {
        if let component {
            json.field("$ref", "#/components/schemas/\(component)")
        } else {
            if isDescribed { json.field("description", ifPresent: description) }
            writeKind(to: &json)
        }
    }

    private func writeKind(to json: inout JSONWriter) {
        switch kind {
        case .string(let rule):
            json.field("type", "string")
            rule.writeMembers(to: &json)
        case .choice(let choices):
            json.field("type", "string")
            json.array("enum", choices)
        case .integer(let range):
            json.field("type", "integer")
            json.field("minimum", range.lowerBound)
            json.field("maximum", range.upperBound)
        case .number(let range):
            json.field("type", "number")
            json.field("minimum", range.lowerBound)
            json.field("maximum", range.upperBound)
        case .boolean: json.field("type", "boolean")
        case .array(let element, let count, let isUnique):
            json.field("type", "array")
            json.field("items", element)
            if count.lowerBound > 0 { json.field("minItems", count.lowerBound) }
            if count.upperBound < Int.max { json.field("maxItems", count.upperBound) }
            if isUnique { json.field("uniqueItems", true) }
        case .object(let fields, let isOpen): Self.writeObject(fields, isOpen, to: &json)
        case .map(let element, let keys, let maximumCount):
            json.field("type", "object")
            json.object("propertyNames") { keys.writeMembers(to: &$0) }
            json.field("additionalProperties", element)
            json.field("maxProperties", maximumCount)
        case .anyOf(let schemas): json.array("anyOf", schemas)
        case .any: json.field("$ref", "#/components/schemas/\(Self.anything)")
        case .free: return
        }
    }

    private static func writeObject(_ fields: [Field], _ isOpen: Bool, to json: inout JSONWriter) {
        json.field("type", "object")
        json.object("properties") { json in
            for field in fields {
                json.key(dynamic: field.name)
                json.object { field.writeMembers(to: &$0) }
            }
        }
        let required = fields.filter(\.isRequired).map(\.name)
        if !required.isEmpty { json.array("required", required) }
        json.field("additionalProperties", isOpen)
    }

    // MARK: Components

    /// The component that stands for `any`.
    static let anything = "Anything"

    static let doubles = -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude

    static func writeAnything(to json: inout JSONWriter) {
        let notNull = TextRule.notNull.anchored
        json.object { json in
            json.field("description", "Any JSON but U+0000 in a string and a number beyond a double.")
            json.array("anyOf") { json in
                for type in ["null", "boolean"] { json.object { $0.field("type", type) } }
                Schema.number(-Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude).write(
                    to: &json)
                json.object { json in
                    json.field("type", "string")
                    json.field("pattern", notNull)
                }
                json.object { json in
                    json.field("type", "array")
                    json.object("items") { $0.field("$ref", "#/components/schemas/\(anything)") }
                }
                json.object { json in
                    json.field("type", "object")
                    json.object("propertyNames") { $0.field("pattern", notNull) }
                    json.object("additionalProperties") {
                        $0.field("$ref", "#/components/schemas/\(anything)")
                    }
                }
            }
        }
    }
}

extension TextRule {
    fileprivate func writeMembers(to json: inout JSONWriter) {
        if lengths.lowerBound > 0 { json.field("minLength", lengths.lowerBound) }
        if lengths.upperBound < Int.max { json.field("maxLength", lengths.upperBound) }
        json.field("pattern", ifPresent: pattern?.anchored)
        json.field("format", ifPresent: format)
    }
}

extension Field {
    /// As a property: the schema, with what the field adds to it.
    fileprivate func writeMembers(to json: inout JSONWriter) {
        json.field("description", description)
        writeSchemaMembers(to: &json)
    }

    /// The schema and the default.
    func writeSchemaMembers(to json: inout JSONWriter) {
        if let `default` { json.field("default", `default`) }
        if isNullable {
            json.array("anyOf") { json in
                schema.write(to: &json)
                json.object { $0.field("type", "null") }
            }
        } else {
            schema.writeMembers(to: &json, isDescribed: false)
        }
    }
}
