package import JSON

/// A step of a model's reply.
///
/// A reply is a sequence of these: `.began` first where the provider names it, then its parts in their order, then
/// `.finished` once. `.usage` may come at any time and more than once; the last counts. What breaks off throws.
package enum ChatEvent: Equatable, Sendable {
    case began(id: String?, model: String?)
    /// More of the text that is being said.
    case text(String)
    /// A source of the text that is being said.
    case citation(ChatCitation)
    case refusal(String)
    /// More of the thought that is being thought.
    case reasoning(String, isSummary: Bool = false)
    /// The thought has ended with this seal. A seal without a thought before it is a thought of its own.
    case sealed(ChatSeal)
    /// Indices count the calls of a reply from 0; calls may be written in turns.
    case toolCallBegan(index: Int, id: String, name: String, isCustom: Bool = false)
    case toolCallArguments(index: Int, String)
    /// What the model made beside its words.
    case media(ChatMedia)
    case opaque(ChatDialect, type: String, JSONValue)
    case usage(ChatUsage)
    case finished(ChatFinish)
}

/// Why a reply has ended.
package struct ChatFinish: Equatable, Sendable {
    package var reason: Reason
    /// The text that was to stop it, where the provider says which.
    package var stopSequence: String?

    package enum Reason: String, CaseIterable, Sendable {
        case stop, length, toolCalls, contentFilter
        /// The model wants to go on in another turn.
        case paused
    }

    package init(_ reason: Reason, stopSequence: String? = nil) {
        self.reason = reason
        self.stopSequence = stopSequence
    }
}
