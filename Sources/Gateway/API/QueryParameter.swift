/// A parameter of an endpoint's query. Unknown ones and repeated ones are refused.
package struct QueryParameter: Sendable {
    package let field: Field
    /// As it stands in a query, before it is encoded.
    package let example: String?

    /// - Parameter schema: a text, choice, number or boolean. Lists are not taken.
    /// - Parameters:
    ///   - default: as JSON: `50`, `"newest"`.
    ///   - example: needed where the parameter is; tests send it.
    package init(
        _ name: String, _ schema: Schema, isRequired: Bool = false, default: String? = nil,
        example: String? = nil, _ description: String
    ) {
        precondition(schema.isScalar, "the query parameter \(name) is no scalar")
        precondition(!isRequired || example != nil, "the query parameter \(name) needs an example")
        self.example = example
        field = Field(name, schema, isRequired: isRequired, default: `default`, description)
    }

    package var name: String { field.name }
    package var schema: Schema { field.schema }
}
