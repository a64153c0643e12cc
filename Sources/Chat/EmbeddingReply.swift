/// A vector for each input of a request, in their order.
package struct EmbeddingReply: Equatable, Sendable {
    /// The model as the provider names it.
    package var model: String?
    package var vectors: [[Float]]
    /// nil where the provider does not say.
    package var inputTokens: Int?

    package init(model: String? = nil, vectors: [[Float]], inputTokens: Int? = nil) {
        self.model = model
        self.vectors = vectors
        self.inputTokens = inputTokens
    }
}
