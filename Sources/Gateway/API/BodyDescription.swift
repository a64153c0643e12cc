/// The JSON object that an endpoint takes.
package struct BodyDescription: Sendable {
    package let schema: Schema
    /// A body that is taken, as JSON. Tests send it.
    package let example: String
    /// Without it an absent body is an empty object.
    package let isRequired: Bool

    package init(_ schema: Schema, example: String, isRequired: Bool = true) {
        self.schema = schema
        self.example = example
        self.isRequired = isRequired
    }

    /// What an endpoint that checks its body takes: an object of these fields and no others.
    package static func object(
        _ fields: [Field], example: String, isRequired: Bool = true
    ) -> BodyDescription {
        BodyDescription(.object(fields), example: example, isRequired: isRequired)
    }
}
