import Chat
import JSON

/// Reads what Cohere answers.
enum CohereReply {
    static func read(_ root: JSONValue) throws(UpstreamFault) -> ChatReply {
        let usage = usage(root["usage"])
        guard let message = root["message"], message.kind == .object else {
            throw .garbled("an answer without a message", usage: usage)
        }
        var parts = try content(message["content"])
        if let plan = message["tool_plan"].present?.string, !plan.isEmpty {
            parts.append(ChatPart(.reasoning(ChatReasoning(plan, seal: CohereThought.plan.seal))))
        }
        var callCount = 0
        if let calls = message["tool_calls"].present {
            for value in calls.elements {
                let call = try ToolCall(value)
                guard let id = call.id, let name = call.name else {
                    throw .garbled("a call without an id or a name", usage: usage)
                }
                callCount += 1
                parts.append(
                    ChatPart(
                        .toolCall(
                            ChatToolCall(
                                id: id, name: name, arguments: call.arguments.isEmpty ? "{}" : call.arguments)
                        )))
            }
        }
        let finish = try finish(
            root["finish_reason"], error: nil, hasCalls: callCount > 0, usage: usage)
        return ChatReply(id: root["id"]?.string, parts: parts, finish: finish, usage: usage)
    }

    private static func content(_ value: JSONValue?) throws(UpstreamFault) -> [ChatPart] {
        guard let value = value.present else { return [] }
        if let text = value.string { return text.isEmpty ? [] : [.text(text)] }
        guard value.kind == .array else { throw .garbled("content that is no list") }
        var parts: [ChatPart] = []
        for item in value.elements {
            if let text = item["text"]?.string {
                if !text.isEmpty { parts.append(.text(text)) }
            } else if let thought = item["thinking"]?.string {
                if thought.isEmpty { continue }
                parts.append(
                    ChatPart(.reasoning(ChatReasoning(thought, seal: CohereThought.thinking.seal))))
            } else if item["type"]?.stringEquals("text") != false {
                throw .garbled("text without a text")
            }
        }
        return parts
    }

    /// A call, or what a stream says of one.
    struct ToolCall {
        var id: String?
        var name: String?
        var arguments = ""

        init(_ value: JSONValue?) throws(UpstreamFault) {
            guard let value, value.kind == .object else { throw .garbled("a call that is no object") }
            id = value["id"]?.string
            guard let function = value["function"] else { return }
            name = function["name"]?.string
            guard let arguments = function["arguments"].present else { return }
            guard let text = arguments.string else { throw .garbled("arguments that are no text") }
            self.arguments = text
        }
    }

    /// `error` is what a stream says of why it ends.
    static func finish(
        _ value: JSONValue?, error: String?, hasCalls: Bool, usage: ChatUsage?
    ) throws(UpstreamFault) -> ChatFinish {
        guard let reason = value.present?.string else {
            if let error { throw UpstreamFault(.failed, error, usage: usage) }
            throw .garbled("an answer that does not say why it ends", usage: usage)
        }
        switch reason {
        case "COMPLETE": return ChatFinish(hasCalls ? .toolCalls : .stop)
        case "STOP_SEQUENCE": return ChatFinish(.stop)
        case "MAX_TOKENS": return ChatFinish(.length)
        case "TOOL_CALL": return ChatFinish(.toolCalls)
        case "ERROR_TOXIC": return ChatFinish(.contentFilter)
        case "TIMEOUT":
            throw UpstreamFault(
                .timedOut, error ?? "The model took too long.", code: reason, usage: usage)
        case "ERROR", "ERROR_LIMIT", "USER_CANCEL":
            throw UpstreamFault(
                .failed, error ?? "The model failed in the middle of its answer.", code: reason,
                usage: usage)
        default:
            if let error { throw UpstreamFault(.failed, error, code: reason, usage: usage) }
            return ChatFinish(hasCalls ? .toolCalls : .stop)
        }
    }

    /// What is billed; where that is not said, what was read and written.
    static func usage(_ value: JSONValue?) -> ChatUsage? {
        counts(value?["billed_units"]) ?? counts(value?["tokens"])
    }

    private static func counts(_ value: JSONValue?) -> ChatUsage? {
        guard let value = value.present else { return nil }
        let input = value["input_tokens"]?.tokenCount
        let output = value["output_tokens"]?.tokenCount
        if input == nil && output == nil { return nil }
        return ChatUsage(input: input ?? 0, output: output ?? 0)
    }
}
