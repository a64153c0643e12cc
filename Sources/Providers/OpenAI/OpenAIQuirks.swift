/// Where a server that speaks OpenAI's chat dialect has words of its own.
///
/// The defaults are what a server that says no more than "compatible" is most likely to take: the old names.
package struct OpenAIQuirks: Equatable, Sendable {
    package var limitField = LimitField.maxTokens
    package var seedField = SeedField.seed
    package var thoughts = Thoughts.reasoningContent
    /// Whether the thoughts of a turn that calls tools have to come back with the conversation: without them DeepSeek
    /// and Moonshot refuse it.
    package var wantsThoughtsBack = false
    package var thinkingSwitch = ThinkingSwitch.effort
    package var cachedTokens = CachedTokens.details
    /// xAI: `completion_tokens` leaves the thoughts out, and `total_tokens` is the sum of all three.
    package var countsThoughtsApart = false
    package var streamUsage = StreamUsage.onRequest
    /// Whether the role `developer` is known; `system` says the same to those that do not know it.
    package var knowsDeveloperRole = false

    /// How the most tokens of an answer are named.
    package enum LimitField: String, Sendable {
        case maxTokens = "max_tokens"
        case maxCompletionTokens = "max_completion_tokens"
    }

    package enum SeedField: String, Sendable {
        case seed
        case randomSeed = "random_seed"
    }

    /// Where a message has its thoughts. Both names are to be read everywhere; this is the one to write.
    package enum Thoughts: Sendable {
        case reasoningContent, reasoning
        /// Mistral: the content is a list, with `{"type":"thinking","thinking":[{"type":"text","text":…}]}` in it.
        case parts
        /// They are not shown, or are part of the text.
        case none
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
        case none
    }

    /// Where `usage` says how much of the prompt was cached, besides `prompt_tokens_details.cached_tokens`.
    package enum CachedTokens: String, Sendable {
        case details = "prompt_tokens_details"
        /// DeepSeek, which says it in the details too.
        case promptCacheHitTokens = "prompt_cache_hit_tokens"
        /// Moonshot, Together.
        case cachedTokens = "cached_tokens"
        /// Mistral.
        case numCachedTokens = "num_cached_tokens"
    }

    /// How the usage of a stream is had.
    package enum StreamUsage: Sendable {
        /// With `stream_options: {"include_usage": true}`.
        case onRequest
        /// It comes with the last chunk, unasked; `stream_options` is refused.
        case always
        /// Groq: as `always`, as `x_groq.usage`.
        case alwaysForGroq
        /// Moonshot: asked for, and within the last choice.
        case onRequestInChoice
    }

    package init() {}

    /// OpenAI itself, and Azure.
    package static let openAI = OpenAIQuirks {
        $0.limitField = .maxCompletionTokens
        $0.thoughts = .none
        $0.knowsDeveloperRole = true
    }

    /// The defaults, but for what `change` says.
    package init(_ change: (inout OpenAIQuirks) -> Void) {
        change(&self)
    }
}
