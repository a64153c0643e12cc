import Chat

extension ProviderPreset {
    /// How its chat models are spoken with; nil where it has none, or answers in this process.
    package var chatCodec: (any ChatCodec)? {
        guard let codec = plainChatCodec, let deployments else { return plainChatCodec }
        return DeploymentChatCodec(address: deployments, codec: codec)
    }

    private var plainChatCodec: (any ChatCodec)? {
        switch chat {
        case .openAIChat: OpenAIChatCodec(quirks)
        case .anthropic: AnthropicCodec()
        case .cohere: CohereCodec()
        case .ollama: OllamaCodec()
        case .bedrock: BedrockCodec()
        case .openAIResponses: OpenAIResponsesCodec()
        case .gemini: GeminiCodec()
        case .sandbox, .hivegate, nil: nil
        }
    }

    /// The same by the Responses API; nil where it does not speak that beside its chat dialect.
    package var responsesCodec: (any ChatCodec)? { responses.map { OpenAIResponsesCodec($0) } }

    package var embeddingCodec: (any EmbeddingCodec)? {
        guard let codec = plainEmbeddingCodec, let deployments else { return plainEmbeddingCodec }
        return DeploymentEmbeddingCodec(address: deployments, codec: codec)
    }

    private var plainEmbeddingCodec: (any EmbeddingCodec)? {
        switch embeddings {
        case .openAI: OpenAIEmbeddingCodec(embeddingQuirks)
        case .cohere: CohereEmbeddingCodec()
        case .gemini: GeminiEmbeddingCodec()
        case .ollama: OllamaEmbeddingCodec()
        case nil: nil
        }
    }

    package var imageCodec: (any ImageCodec)? {
        guard let codec = plainImageCodec, let deployments else { return plainImageCodec }
        return DeploymentImageCodec(address: deployments, codec: codec)
    }

    private var plainImageCodec: (any ImageCodec)? {
        switch images {
        case .openAI: OpenAIImageCodec()
        case .stability: StabilityCodec()
        case nil: nil
        }
    }

    /// Whether we speak with it at all.
    package var isSpoken: Bool { chatCodec != nil || embeddings != nil || images != nil }

    /// Where it lists its models in OpenAI's shape, behind the base URL; nil where it does not.
    package var modelsPath: String? {
        switch chat {
        case .openAIChat: "/models"
        // Its own dialect's paths begin at the root.
        case .ollama: "/v1/models"
        default: nil
        }
    }
}
