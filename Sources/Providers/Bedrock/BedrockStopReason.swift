import Chat
import JSON

/// Why a reply has ended, from an object that has `stopReason`.
enum BedrockStopReason {
    static func finish(_ value: JSONValue, usage: ChatUsage?) throws(UpstreamFault) -> ChatFinish {
        let reason = try ReplyField.text(value["stopReason"], "stopReason")
        switch reason {
        case "stop_sequence":
            let fields = value["additionalModelResponseFields"].present
            return ChatFinish(.stop, stopSequence: fields?["stop_sequence"]?.string)
        case "max_tokens", "model_context_window_exceeded": return ChatFinish(.length)
        case "tool_use": return ChatFinish(.toolCalls)
        case "guardrail_intervened", "content_filtered": return ChatFinish(.contentFilter)
        case "malformed_model_output", "malformed_tool_use":
            throw UpstreamFault(
                .failed, "The model's answer was malformed.", code: reason, usage: usage)
        // `end_turn`, and reasons that come to be later: the reply is whole, whatever they are.
        default: return ChatFinish(.stop)
        }
    }
}
