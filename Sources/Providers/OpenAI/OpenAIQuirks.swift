/// Where a server that speaks OpenAI's chat dialect wants other words in a request than OpenAI does. What servers answer
/// is read in all ways at once.
///
/// The defaults are what a server that says no more than "compatible" is most likely to take: the old names.
package struct OpenAIQuirks: Equatable, Sendable {
    package var limitField = LimitField.maxTokens
    package var seedField = SeedField.seed
    package var thoughtsBack = ThoughtsBack.none
    package var thinkingSwitch = ThinkingSwitch.effort
    /// Whether the usage of a stream is had with `stream_options: {"include_usage": true}`. Where not, it comes unasked,
    /// and `stream_options` is refused.
    package var takesStreamOptions = true
    /// Whether the role `developer` is known; `system` says the same to those that do not know it.
    package var knowsDeveloperRole = false
    /// Whether `top_k` is known; those that know it not refuse it.
    package var knowsTopK = true
    /// Whether `store` is known: most keep nothing that could be asked for again, and some refuse the word.
    package var knowsStore = false
    /// Whether parts and tools may be marked with `cache_control`.
    package var knowsCacheMarkers = false

    /// How the most tokens of an answer are named.
    package enum LimitField: String, Sendable {
        case maxTokens = "max_tokens"
        case maxCompletionTokens = "max_completion_tokens"
    }

    package enum SeedField: String, Sendable {
        case seed
        case randomSeed = "random_seed"
    }

    /// How the thoughts of earlier turns come back with the conversation.
    package enum ThoughtsBack: Sendable {
        case none
        /// DeepSeek and Moonshot refuse a turn that calls tools without them.
        case reasoningContent
        /// OpenRouter: with their seals.
        case reasoningDetails
    }

    /// How much thinking is asked for.
    package enum ThinkingSwitch: Sendable {
        /// `reasoning_effort`.
        case effort
        /// OpenRouter: `reasoning: {effort | max_tokens | enabled}`.
        case object
        /// `thinking: {"type": "enabled" | "disabled"}`.
        case type
        /// Qwen: `enable_thinking`, `thinking_budget`.
        case flag
    }

    package init() {}

    /// The defaults, but for what `change` says.
    package init(_ change: (inout OpenAIQuirks) -> Void) {
        change(&self)
    }

    /// OpenAI itself, and Azure.
    package static let openAI = OpenAIQuirks {
        $0.limitField = .maxCompletionTokens
        $0.knowsDeveloperRole = true
        $0.knowsTopK = false
        $0.knowsStore = true
    }
}
