import Chat

extension ProviderPreset {
    /// Those that speak OpenAI's chat dialect with words of their own.
    static let compatible: [ProviderPreset] = [
        ProviderPreset("mistral", "Mistral", chat: .openAIChat, baseURL: "https://api.mistral.ai/v1") {
            $0.embeddings = .openAI
            $0.keyEnvironment = ["MISTRAL_API_KEY"]
            $0.baseURLEnvironment = ["MISTRAL_API_BASE", "MISTRAL_BASE_URL"]
            // It refuses fields that it does not know, `stream_options` and `max_completion_tokens` among them.
            $0.quirks.seedField = .randomSeed
            $0.quirks.takesStreamOptions = false
            $0.embeddingQuirks.dimensionsField = .outputDimension
            $0.embeddingQuirks.takesTokens = false
            $0.embeddingQuirks.takesUser = false
        },
        ProviderPreset("groq", "Groq", chat: .openAIChat, baseURL: "https://api.groq.com/openai/v1") {
            $0.keyEnvironment = ["GROQ_API_KEY"]
            // Their own SDK's variable is without the path.
            $0.baseURLEnvironment = ["GROQ_API_BASE"]
            $0.quirks.limitField = .maxCompletionTokens
            $0.quirks.knowsDeveloperRole = true
        },
        ProviderPreset("together", "Together AI", chat: .openAIChat, baseURL: "https://api.together.ai/v1") {
            $0.aliases = ["together_ai", "togetherai"]
            $0.embeddings = .openAI
            $0.keyEnvironment = ["TOGETHER_API_KEY", "TOGETHERAI_API_KEY", "TOGETHER_AI_TOKEN"]
            // Their own SDK's variable is without the path.
            $0.baseURLEnvironment = ["TOGETHER_AI_API_BASE"]
            $0.embeddingQuirks.takesTokens = false
            $0.embeddingQuirks.knowsBase64 = false
        },
        ProviderPreset("deepseek", "DeepSeek", chat: .openAIChat, baseURL: "https://api.deepseek.com") {
            $0.keyEnvironment = ["DEEPSEEK_API_KEY"]
            $0.baseURLEnvironment = ["DEEPSEEK_API_BASE", "DEEPSEEK_BASE_URL"]
            $0.quirks.thoughtsBack = .reasoningContent
            $0.quirks.thinkingSwitch = .type
        },
        ProviderPreset("xai", "xAI", chat: .openAIChat, baseURL: "https://api.x.ai/v1") {
            $0.responses = .openAI
            $0.images = .openAI
            $0.keyEnvironment = ["XAI_API_KEY"]
            $0.baseURLEnvironment = ["XAI_API_BASE", "XAI_BASE_URL"]
        },
        ProviderPreset("perplexity", "Perplexity", chat: .openAIChat, baseURL: "https://api.perplexity.ai") {
            $0.keyEnvironment = ["PERPLEXITY_API_KEY", "PERPLEXITYAI_API_KEY"]
            $0.baseURLEnvironment = ["PERPLEXITY_BASE_URL", "PERPLEXITY_API_BASE"]
            $0.quirks.takesStreamOptions = false
        },
        ProviderPreset(
            "openrouter", "OpenRouter", chat: .openAIChat, baseURL: "https://openrouter.ai/api/v1"
        ) {
            $0.responses = OpenAIResponsesQuirks(keepsResponses: false)
            $0.embeddings = .openAI
            $0.keyEnvironment = ["OPENROUTER_API_KEY", "OR_API_KEY"]
            $0.baseURLEnvironment = ["OPENROUTER_BASE_URL", "OPENROUTER_API_BASE"]
            $0.quirks.limitField = .maxCompletionTokens
            $0.quirks.thinkingSwitch = .object
            $0.quirks.thoughtsBack = .reasoningDetails
            $0.quirks.knowsCacheMarkers = true
            $0.quirks.knowsDeveloperRole = true
        },
        ProviderPreset(
            "fireworks", "Fireworks AI", chat: .openAIChat, baseURL: "https://api.fireworks.ai/inference/v1"
        ) {
            $0.aliases = ["fireworks_ai"]
            $0.embeddings = .openAI
            $0.keyEnvironment = ["FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY"]
            $0.baseURLEnvironment = ["FIREWORKS_API_BASE", "FIREWORKS_BASE_URL"]
        },
        ProviderPreset(
            "huggingface", "Hugging Face", chat: .openAIChat, baseURL: "https://router.huggingface.co/v1"
        ) {
            $0.keyEnvironment = ["HF_TOKEN", "HUGGINGFACE_API_KEY"]
            $0.baseURLEnvironment = ["HF_BASE_URL", "HUGGINGFACE_API_BASE"]
        },
        ProviderPreset("cerebras", "Cerebras", chat: .openAIChat, baseURL: "https://api.cerebras.ai/v1") {
            $0.keyEnvironment = ["CEREBRAS_API_KEY"]
            // Their own SDK's variable is without the path.
            $0.baseURLEnvironment = ["CEREBRAS_API_BASE"]
            $0.quirks.limitField = .maxCompletionTokens
        },
        ProviderPreset(
            "nvidia", "NVIDIA NIM", chat: .openAIChat, baseURL: "https://integrate.api.nvidia.com/v1"
        ) {
            $0.aliases = ["nvidia_nim"]
            $0.embeddings = .openAI
            $0.keyEnvironment = ["NVIDIA_API_KEY", "NVIDIA_NIM_API_KEY"]
            $0.baseURLEnvironment = ["NVIDIA_BASE_URL", "NVIDIA_NIM_API_BASE"]
            $0.embeddingQuirks.takesTokens = false
            $0.embeddingQuirks.kinds = .init(document: "passage", query: "query", isRequired: true)
        },
        ProviderPreset("moonshot", "Moonshot AI", chat: .openAIChat, baseURL: "https://api.moonshot.ai/v1") {
            $0.aliases = ["moonshotai"]
            $0.keyEnvironment = ["MOONSHOT_API_KEY"]
            $0.baseURLEnvironment = ["MOONSHOT_API_BASE", "MOONSHOT_BASE_URL"]
            $0.quirks.thoughtsBack = .reasoningContent
            $0.quirks.thinkingSwitch = .type
        },
        ProviderPreset("zai", "Z.ai", chat: .openAIChat, baseURL: "https://api.z.ai/api/paas/v4") {
            $0.aliases = ["zhipu", "zhipuai"]
            $0.keyEnvironment = ["ZAI_API_KEY", "ZHIPU_API_KEY"]
            $0.baseURLEnvironment = ["ZAI_API_BASE", "ZAI_BASE_URL"]
            $0.quirks.thinkingSwitch = .type
        },
        ProviderPreset(
            "dashscope", "Alibaba DashScope", chat: .openAIChat,
            baseURL: "https://dashscope.aliyuncs.com/compatible-mode/v1"
        ) {
            $0.aliases = ["qwen", "alibaba"]
            $0.embeddings = .openAI
            $0.keyEnvironment = ["DASHSCOPE_API_KEY"]
            // Outside of China it is at dashscope-intl.aliyuncs.com, with keys of its own.
            $0.baseURLEnvironment = ["DASHSCOPE_API_BASE", "DASHSCOPE_BASE_URL"]
            $0.quirks.thinkingSwitch = .flag
            $0.embeddingQuirks.takesTokens = false
            $0.embeddingQuirks.knowsBase64 = false
        },
        ProviderPreset("sambanova", "SambaNova", chat: .openAIChat, baseURL: "https://api.sambanova.ai/v1") {
            $0.embeddings = .openAI
            $0.keyEnvironment = ["SAMBANOVA_API_KEY"]
            $0.baseURLEnvironment = ["SAMBANOVA_API_BASE", "SAMBANOVA_BASE_URL"]
            $0.embeddingQuirks.takesTokens = false
        },
        ProviderPreset(
            "nebius", "Nebius Token Factory", chat: .openAIChat,
            baseURL: "https://api.tokenfactory.nebius.com/v1"
        ) {
            $0.embeddings = .openAI
            $0.keyEnvironment = ["NEBIUS_API_KEY"]
            $0.baseURLEnvironment = ["NEBIUS_API_BASE", "NEBIUS_BASE_URL"]
        },
        ProviderPreset("novita", "Novita AI", chat: .openAIChat, baseURL: "https://api.novita.ai/v3/openai") {
            $0.embeddings = .openAI
            $0.keyEnvironment = ["NOVITA_API_KEY"]
            $0.baseURLEnvironment = ["NOVITA_API_BASE", "NOVITA_BASE_URL"]
        },
        ProviderPreset(
            "deepinfra", "DeepInfra", chat: .openAIChat, baseURL: "https://api.deepinfra.com/v1/openai"
        ) {
            $0.embeddings = .openAI
            $0.images = .openAI
            $0.keyEnvironment = ["DEEPINFRA_API_KEY", "DEEPINFRA_TOKEN"]
            $0.baseURLEnvironment = ["DEEPINFRA_API_BASE", "DEEPINFRA_BASE_URL"]
            $0.embeddingQuirks.takesTokens = false
        },
        ProviderPreset(
            "hyperbolic", "Hyperbolic", chat: .openAIChat, baseURL: "https://api.hyperbolic.xyz/v1"
        ) {
            $0.keyEnvironment = ["HYPERBOLIC_API_KEY"]
            $0.baseURLEnvironment = ["HYPERBOLIC_API_BASE", "HYPERBOLIC_BASE_URL"]
        },
        ProviderPreset("voyage", "Voyage AI", chat: nil, baseURL: "https://api.voyageai.com/v1") {
            $0.embeddings = .openAI
            $0.keyEnvironment = ["VOYAGE_API_KEY"]
            $0.baseURLEnvironment = ["VOYAGE_API_BASE"]
            $0.embeddingQuirks.dimensionsField = .outputDimension
            $0.embeddingQuirks.kinds = .init(document: "document", query: "query")
            $0.embeddingQuirks.knowsFloat = false
            $0.embeddingQuirks.takesTokens = false
            $0.embeddingQuirks.takesUser = false
        },
    ]
}
