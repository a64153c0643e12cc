/// What a client asks of a model, in words that every dialect can be translated to and from.
///
/// What only one dialect knows stays in the bytes of the request, which pass through as they are where both sides
/// speak it.
package struct ChatRequest: Equatable, Sendable {
    /// As the client names it.
    package var model: String
    /// The conversation, with its instructions as messages of the roles `system` and `developer`.
    package var messages: [ChatMessage]
    package var tools: [ChatTool] = []
    package var toolChoice: ChatToolChoice?
    package var allowsParallelToolCalls: Bool?
    package var output = ChatOutputFormat.text
    package var sampling = ChatSampling()
    package var reasoning: ChatReasoningOptions?
    package var hints = ChatHints()
    package var choiceCount = 1
    package var isStreaming = false
    /// Whether the client wants to see the usage at the end of a stream.
    package var includesUsage = false

    package init(model: String, messages: [ChatMessage]) {
        self.model = model
        self.messages = messages
    }
}

/// How the next token is chosen, and when there is none.
package struct ChatSampling: Equatable, Sendable {
    package var maximumTokens: Int?
    package var temperature: Double?
    package var topP: Double?
    package var topK: Int?
    package var frequencyPenalty: Double?
    package var presencePenalty: Double?
    package var seed: Int?
    package var stop: [String] = []

    package init() {}
}

/// What may be left out where a provider has no such thing: the answer is as good without.
package struct ChatHints: Equatable, Sendable {
    /// Whose request it is, for the provider's watch over abuse.
    package var user: String?
    package var serviceTier: String?
    package var promptCacheKey: String?
    package var verbosity: String?
    /// Names and texts, in their order.
    package var metadata: [(name: String, value: String)] = []
    /// Whether the provider keeps the conversation.
    package var store: Bool?

    package init() {}

    package static func == (one: Self, other: Self) -> Bool {
        one.user == other.user && one.serviceTier == other.serviceTier
            && one.promptCacheKey == other.promptCacheKey && one.verbosity == other.verbosity
            && one.store == other.store && one.metadata.elementsEqual(other.metadata, by: ==)
    }
}
