import Chat

extension ProviderPreset {
    /// How its chat models are spoken with; nil where it has none, or answers in this process.
    package var codec: (any ChatCodec)? {
        switch chat {
        case .openAIChat: OpenAIChatCodec(quirks)
        case .anthropic: AnthropicCodec()
        case .cohere: CohereCodec()
        case .ollama: OllamaCodec()
        case .openAIResponses, .gemini, .bedrock, .sandbox, nil: nil
        }
    }

    /// Where it lists its models in OpenAI's shape, behind the base URL; nil where it does not.
    package var modelsPath: String? { chat == .openAIChat ? "/models" : nil }
}
