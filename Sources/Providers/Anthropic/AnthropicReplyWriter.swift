import Chat
import JSON

/// Writes a whole reply as the Messages API has it.
enum AnthropicReplyWriter {
    static func body(_ reply: ChatReply, _ context: ReplyContext) -> [UInt8] {
        var json = JSONWriter(capacity: 1024)
        json.object { json in
            json.field("id", identifier(reply.id, context))
            json.field("type", "message")
            json.field("role", "assistant")
            json.field("model", context.request.model)
            json.array("content") { json in
                for part in reply.parts { write(part, to: &json) }
            }
            AnthropicStopReason.write(reply.finish, to: &json)
            AnthropicUsage.write(reply.usage ?? ChatUsage(), to: &json)
        }
        return json.bytes
    }

    /// The provider's own where it is one of this dialect.
    static func identifier(_ id: String?, _ context: ReplyContext) -> String {
        if let id, id.hasPrefix("msg_") { return id }
        let request = context.requestID
        return "msg_\(request.hasPrefix("req_") ? String(request.dropFirst(4)) : request)"
    }

    private static func write(_ part: ChatPart, to json: inout JSONWriter) {
        switch part.content {
        case .text(let text): write(text, to: &json)
        case .refusal(let text): write(ChatText(text), to: &json)
        case .reasoning(let reasoning): write(reasoning, to: &json)
        case .toolCall(let call): write(call, to: &json)
        case .opaque(.anthropic, _, let value): json.value(value)
        // Opaque values of others mean nothing here; models do not answer with the rest.
        case .opaque, .media, .toolResult: break
        }
    }

    private static func write(_ text: ChatText, to json: inout JSONWriter) {
        json.object { json in
            json.field("type", "text")
            json.field("text", text.text)
            if text.citations.isEmpty { return json.null("citations") }
            json.array("citations") { json in
                for citation in text.citations { AnthropicCitations.write(citation, to: &json) }
            }
        }
    }

    private static func write(_ reasoning: ChatReasoning, to json: inout JSONWriter) {
        json.object { json in
            if reasoning.text.isEmpty, let seal = reasoning.seal, seal.replacesText {
                json.field("type", "redacted_thinking")
                json.field("data", sealed(seal))
            } else {
                json.field("type", "thinking")
                json.field("thinking", reasoning.text)
                json.field("signature", reasoning.seal.map(sealed) ?? "")
            }
        }
    }

    /// A seal in the field that this dialect has for it; those of others say that they are.
    static func sealed(_ seal: ChatSeal) -> String {
        seal.origin == .anthropic ? seal.data : ForeignSeal.wrap(seal)
    }

    private static func write(_ call: ChatToolCall, to json: inout JSONWriter) {
        json.object { json in
            json.field("type", "tool_use")
            json.field("id", call.id)
            json.field("name", call.name)
            json.key("input")
            if call.arguments.allSatisfy(\.isWhitespace) {
                json.object { _ in }
            } else if let value = try? JSONDocument(parsing: Array(call.arguments.utf8)).root,
                value.kind == .object
            {
                json.value(value)
            } else {
                // So Anthropic advises to show a model what it wrote wrongly.
                json.object { $0.field("INVALID_JSON", call.arguments) }
            }
        }
    }
}
