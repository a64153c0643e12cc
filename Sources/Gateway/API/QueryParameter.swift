/// A parameter of an endpoint's query. Unknown ones and repeated ones are refused.
package struct QueryParameter: Sendable {
    package let field: Field

    /// - Parameter schema: a text, choice, number or boolean. Lists are not taken.
    /// - Parameter default: as JSON: `50`, `"newest"`.
    package init(
        _ name: String, _ schema: Schema, isRequired: Bool = false, default: String? = nil,
        _ description: String
    ) {
        precondition(schema.isScalar, "the query parameter \(name) is no scalar")
        field = Field(name, schema, isRequired: isRequired, default: `default`, description)
    }

    package var name: String { field.name }
    package var schema: Schema { field.schema }
}
