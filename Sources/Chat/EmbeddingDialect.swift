/// A wire format in which vectors of texts are asked for.
package enum EmbeddingDialect: String, CaseIterable, Sendable {
    case openAI = "openai"
    case cohere, gemini, ollama
}
