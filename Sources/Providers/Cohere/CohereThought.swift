import Chat

/// The two places in which Cohere's models think aloud. They sign nothing; the seal says which place a thought came
/// from, so that it goes back there and that no other thought is taken for one of theirs.
enum CohereThought: String {
    /// `tool_plan`: what the model is going to do with its tools.
    case plan = "tool_plan"
    /// A part of the content.
    case thinking

    var seal: ChatSeal { ChatSeal(rawValue, origin: .cohere) }

    init?(_ reasoning: ChatReasoning) {
        guard let seal = reasoning.seal, seal.origin == .cohere else { return nil }
        self.init(rawValue: seal.data)
    }
}
