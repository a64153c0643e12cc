import Chat
import JSON

/// Why a reply has ended, in Anthropic's words and in ours.
enum AnthropicStopReason {
    /// From an object with `stop_reason` and `stop_sequence`; nil while it has not ended.
    static func finish(_ value: JSONValue) throws(UpstreamFault) -> ChatFinish? {
        guard let reason = value["stop_reason"].present else { return nil }
        guard let word = reason.string else { throw .garbled("stop_reason is no string") }
        switch word {
        case "stop_sequence": return ChatFinish(.stop, stopSequence: value["stop_sequence"]?.string)
        case "max_tokens", "model_context_window_exceeded": return ChatFinish(.length)
        case "tool_use": return ChatFinish(.toolCalls)
        case "refusal": return ChatFinish(.contentFilter)
        case "pause_turn", "compaction": return ChatFinish(.paused)
        // `end_turn`, and reasons that come to be later: the reply is whole, whatever they are.
        default: return ChatFinish(.stop)
        }
    }

    static func word(for finish: ChatFinish) -> String {
        switch finish.reason {
        case .stop: finish.stopSequence == nil ? "end_turn" : "stop_sequence"
        case .length: "max_tokens"
        case .toolCalls: "tool_use"
        case .contentFilter: "refusal"
        case .paused: "pause_turn"
        }
    }

    /// The members `stop_reason`, `stop_sequence` and `stop_details`; all null while the reply goes on.
    static func write(_ finish: ChatFinish?, to json: inout JSONWriter) {
        json.field("stop_reason", finish.map(word))
        json.field("stop_sequence", finish?.stopSequence)
        json.null("stop_details")
    }
}
