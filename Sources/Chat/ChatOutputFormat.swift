package import JSON

/// What the text of an answer must be.
package enum ChatOutputFormat: Equatable, Sendable {
    case text
    /// Some JSON object.
    case json
    case schema(Schema)

    package struct Schema: Equatable, Sendable {
        package var name: String
        package var description: String?
        package var schema: JSONValue
        package var isStrict: Bool?

        package init(
            name: String, description: String? = nil, schema: JSONValue, isStrict: Bool? = nil
        ) {
            self.name = name
            self.description = description
            self.schema = schema
            self.isStrict = isStrict
        }
    }
}
