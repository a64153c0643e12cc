/// In what the relatives of OpenAI's chat dialect differ from it, where a request is concerned.
package struct OpenAIQuirks: Equatable, Sendable {
    /// The field that bounds an answer.
    package var limitField = LimitField.maxCompletionTokens
    package var seedField = SeedField.seed
    /// The field of an assistant's message that takes thoughts back.
    package var reasoningField: ReasoningField?
    /// Whether the usage of a stream has to be asked for, and may be.
    package var takesIncludeUsage = true
    /// Whether instructions may come as `developer`.
    package var takesDeveloperRole = false
    /// Whether `top_k` is known.
    package var takesTopK = true
    /// Whether parts may be marked with `cache_control`.
    package var takesCacheControl = false

    package enum LimitField: Sendable { case maxTokens, maxCompletionTokens }
    package enum SeedField: Sendable { case seed, randomSeed }
    package enum ReasoningField: Sendable { case reasoningContent, reasoningDetails }

    package init() {}
}
