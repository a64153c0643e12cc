/// A wire format that has words of its own: opaque values belong to one and mean nothing in another.
package enum ChatDialect: String, CaseIterable, Sendable {
    case openAIChat = "openai-chat"
    case openAIResponses = "openai-responses"
    case anthropic
    case gemini
    case cohere
    case ollama
    case bedrock
    case sandbox
    /// Our own.
    case hivegate
}
