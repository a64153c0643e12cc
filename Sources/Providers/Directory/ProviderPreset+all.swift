import Chat

extension ProviderPreset {
    /// Every provider that is known by name.
    package static let all: [ProviderPreset] = native + compatible + local

    /// The provider that goes by `name`, be it an alias.
    package static func named(_ name: String) -> ProviderPreset? { byName[name] }

    private static let byName: [String: ProviderPreset] = Dictionary(
        uniqueKeysWithValues: all.flatMap { preset in
            ([preset.name] + preset.aliases).map { ($0, preset) }
        })

    /// Those with a format of their own, and OpenAI.
    private static let native: [ProviderPreset] = [
        ProviderPreset("openai", "OpenAI", chat: .openAIChat, baseURL: "https://api.openai.com/v1") {
            $0.responses = .openAI
            $0.embeddings = .openAI
            $0.images = .openAI
            $0.keyEnvironment = ["OPENAI_API_KEY"]
            $0.baseURLEnvironment = ["OPENAI_BASE_URL", "OPENAI_API_BASE"]
            $0.quirks = .openAI
        },
        ProviderPreset(
            "azure", "Azure OpenAI", chat: .openAIChat,
            baseURL: "https://{resource}.openai.azure.com/openai/v1"
        ) {
            $0.placeholders = [Placeholder("resource", environment: ["AZURE_RESOURCE_NAME"])]
            $0.responses = .openAI
            $0.embeddings = .openAI
            $0.images = .openAI
            $0.authorization = .header("api-key")
            $0.keyEnvironment = ["AZURE_OPENAI_API_KEY", "AZURE_API_KEY"]
            $0.baseURLEnvironment = ["AZURE_OPENAI_BASE_URL"]
            $0.endpoint = Endpoint(
                environment: ["AZURE_OPENAI_ENDPOINT", "AZURE_API_BASE"],
                versionEnvironment: ["AZURE_OPENAI_API_VERSION", "OPENAI_API_VERSION", "AZURE_API_VERSION"])
            $0.quirks = .openAI
        },
        ProviderPreset("anthropic", "Anthropic", chat: .anthropic, baseURL: "https://api.anthropic.com") {
            $0.authorization = .header("x-api-key")
            $0.keyEnvironment = ["ANTHROPIC_API_KEY"]
            $0.baseURLEnvironment = ["ANTHROPIC_BASE_URL", "ANTHROPIC_API_BASE"]
        },
        ProviderPreset(
            "gemini", "Google Gemini", chat: .gemini, baseURL: "https://generativelanguage.googleapis.com"
        ) {
            $0.aliases = ["google"]
            $0.embeddings = .gemini
            $0.authorization = .header("x-goog-api-key")
            $0.keyEnvironment = ["GEMINI_API_KEY", "GOOGLE_API_KEY"]
            $0.baseURLEnvironment = ["GEMINI_BASE_URL", "GEMINI_API_BASE"]
        },
        ProviderPreset("cohere", "Cohere", chat: .cohere, baseURL: "https://api.cohere.com") {
            $0.embeddings = .cohere
            $0.keyEnvironment = ["CO_API_KEY", "COHERE_API_KEY"]
            $0.baseURLEnvironment = ["CO_API_URL"]
        },
        ProviderPreset(
            "bedrock", "Amazon Bedrock", chat: .bedrock,
            baseURL: "https://bedrock-runtime.{region}.amazonaws.com"
        ) {
            $0.placeholders = [Placeholder("region", environment: ["AWS_REGION", "AWS_DEFAULT_REGION"])]
            $0.authorization = .signatureV4(service: "bedrock")
            $0.keyEnvironment = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]
            $0.baseURLEnvironment = ["AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "AWS_BEDROCK_RUNTIME_ENDPOINT"]
        },
        ProviderPreset("stability", "Stability AI", chat: nil, baseURL: "https://api.stability.ai") {
            $0.images = .stability
            $0.keyEnvironment = ["STABILITY_API_KEY"]
            $0.baseURLEnvironment = ["STABILITY_API_BASE"]
        },
        ProviderPreset("deepgram", "Deepgram", chat: nil, baseURL: "https://api.deepgram.com/v1") {
            $0.authorization = .token
            $0.keyEnvironment = ["DEEPGRAM_API_KEY"]
            $0.baseURLEnvironment = ["DEEPGRAM_API_BASE"]
        },
    ]

    /// Those that run in the house, or in this process.
    private static let local: [ProviderPreset] = [
        ProviderPreset("ollama", "Ollama", chat: .ollama, baseURL: "http://127.0.0.1:11434") {
            $0.embeddings = .ollama
            $0.isKeyOptional = true
            $0.keyEnvironment = ["OLLAMA_API_KEY"]
            $0.baseURLEnvironment = ["OLLAMA_BASE_URL", "OLLAMA_API_BASE"]
        },
        ProviderPreset("vllm", "vLLM", chat: .openAIChat, baseURL: "http://127.0.0.1:8000/v1") {
            $0.aliases = ["hosted_vllm"]
            $0.embeddings = .openAI
            $0.isKeyOptional = true
            $0.keyEnvironment = ["VLLM_API_KEY", "HOSTED_VLLM_API_KEY"]
            $0.baseURLEnvironment = ["VLLM_BASE_URL", "VLLM_API_BASE", "HOSTED_VLLM_API_BASE"]
        },
        ProviderPreset("llamacpp", "llama.cpp", chat: .openAIChat, baseURL: "http://127.0.0.1:8080/v1") {
            $0.embeddings = .openAI
            $0.isKeyOptional = true
            $0.keyEnvironment = ["LLAMACPP_API_KEY"]
            $0.baseURLEnvironment = ["LLAMACPP_BASE_URL"]
        },
        ProviderPreset("lmstudio", "LM Studio", chat: .openAIChat, baseURL: "http://127.0.0.1:1234/v1") {
            $0.aliases = ["lm_studio"]
            $0.embeddings = .openAI
            $0.isKeyOptional = true
            $0.keyEnvironment = ["LM_STUDIO_API_KEY"]
            $0.baseURLEnvironment = ["LM_STUDIO_API_BASE"]
        },
        ProviderPreset("sandbox", "Sandbox", chat: .sandbox, baseURL: nil) {
            $0.authorization = .none
            $0.isKeyOptional = true
        },
    ]
}
