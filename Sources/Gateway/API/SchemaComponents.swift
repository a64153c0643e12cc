import JSON

/// The named schemas of a document.
struct SchemaComponents {
    private(set) var schemas: [String: Schema] = [:]
    /// Names under which there are several.
    private(set) var conflicts: Set<String> = []

    init(_ endpoints: [Endpoint]) {
        for endpoint in endpoints { for schema in endpoint.schemas { add(schema) } }
    }

    /// Adds every named schema within, and the schema itself.
    private mutating func add(_ schema: Schema) {
        if let name = schema.component {
            if let known = schemas[name] {
                if Self.definition(known) != Self.definition(schema) { conflicts.insert(name) }
                return
            }
            schemas[name] = schema
        }
        switch schema.kind {
        case .string, .choice, .integer, .number, .boolean, .any, .free: return
        case .array(let element, _, _), .map(let element, _, _): add(element)
        case .object(let fields, _): for field in fields { add(field.schema) }
        case .anyOf(let schemas): for schema in schemas { add(schema) }
        }
    }

    private static func definition(_ schema: Schema) -> [UInt8] {
        var json = JSONWriter()
        schema.writeDefinition(to: &json)
        return json.bytes
    }
}
