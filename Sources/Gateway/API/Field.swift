package import JSON

/// One field of an object.
package struct Field: Sendable {
    package let name: String
    package let schema: Schema
    package let isRequired: Bool
    /// Whether `null` is taken: "none", where absence means "as it is".
    package let isNullable: Bool
    package let description: String
    /// What `Fields` gives where the field is absent.
    package let `default`: JSONValue?

    /// - Parameter default: as JSON: `50`, `"newest"`, `[]`.
    package init(
        _ name: String, _ schema: Schema, isRequired: Bool = true, isNullable: Bool = false,
        default: String? = nil, _ description: String
    ) {
        self.name = name
        self.schema = schema
        self.isRequired = isRequired && `default` == nil
        self.isNullable = isNullable
        self.description = description
        self.default = `default`.map { text in
            do throws(JSONError) {
                return try JSONDocument(parsing: Array(text.utf8)).root
            } catch {
                preconditionFailure("the default of \(name) is no JSON: \(error)")
            }
        }
    }

    /// One that may be left out.
    package static func optional(
        _ name: String, _ schema: Schema, isNullable: Bool = false, default: String? = nil,
        _ description: String
    ) -> Field {
        Field(
            name, schema, isRequired: false, isNullable: isNullable, default: `default`, description)
    }
}
