/// Where a server that speaks OpenAI's embedding dialect has words of its own.
package struct OpenAIEmbeddingQuirks: Equatable, Sendable {
    package var dimensionsField = DimensionsField.dimensions
    package var kinds: Kinds?
    /// Whether numbers can be asked for as base64, which is a third of the bytes.
    package var knowsBase64 = true
    /// Whether `encoding_format: "float"` can be said; where not, it is what is answered anyway.
    package var knowsFloat = true
    /// Whether an input can be tokens instead of text.
    package var takesTokens = true
    package var takesUser = true

    package enum DimensionsField: String, Sendable {
        case dimensions
        case outputDimension = "output_dimension"
    }

    /// What `input_type` calls the two kinds of input.
    package struct Kinds: Equatable, Sendable {
        package var document: String
        package var query: String
        /// Whether `input_type` must be there.
        package var isRequired: Bool

        package init(document: String, query: String, isRequired: Bool = false) {
            self.document = document
            self.query = query
            self.isRequired = isRequired
        }
    }

    package init() {}

    /// The defaults, but for what `change` says.
    package init(_ change: (inout OpenAIEmbeddingQuirks) -> Void) {
        change(&self)
    }
}
