/// A wire format in which images are asked for.
package enum ImageDialect: String, CaseIterable, Sendable {
    case openAI = "openai"
    case stability
}
