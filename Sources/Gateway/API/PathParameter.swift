/// A `{name}` in an endpoint's path. What is no possible value is answered as an unknown one: 404.
package struct PathParameter: Sendable {
    package let name: String
    package let kind: Kind
    package let description: String
    /// As it stands in a path.
    package let example: String

    package enum Kind: Sendable {
        /// A UUID that names an object.
        case object(ObjectKind)
        /// Any other text.
        case text(Schema)
    }

    package init(
        _ name: String, _ kind: Kind, _ description: String,
        example: String = "019f3a52-7c1e-7b04-9d52-3f0e6a1b2c4d"
    ) {
        self.name = name
        self.kind = kind
        self.description = description
        self.example = example
    }

    package var schema: Schema {
        switch kind {
        case .object: .uuid
        case .text(let schema): schema
        }
    }
}
