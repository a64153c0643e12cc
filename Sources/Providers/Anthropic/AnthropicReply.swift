import Chat
import JSON

/// Reads a whole reply of the Messages API.
enum AnthropicReply {
    static func read(_ root: JSONValue) throws(UpstreamFault) -> ChatReply {
        if let error = root["error"].present { throw AnthropicFault.read(error) }
        var usage = AnthropicUsage()
        try usage.take(root["usage"])
        guard let finish = try AnthropicStopReason.finish(root) else {
            throw .garbled("the reply has no stop_reason", usage: usage.chat)
        }
        var parts: [ChatPart] = []
        for (index, block) in try ReplyField.array(root["content"], "content").elements.enumerated() {
            parts.append(ChatPart(try content(block, "content[\(index)]")))
        }
        return ChatReply(
            id: root["id"]?.string, model: root["model"]?.string, parts: parts, finish: finish,
            usage: usage.chat)
    }

    private static func content(_ block: JSONValue, _ name: String) throws(UpstreamFault) -> ChatPart.Content
    {
        let type = try ReplyField.text(block["type"], "\(name).type")
        switch type {
        case "text":
            let text = try ReplyField.text(block["text"], "\(name).text")
            return .text(ChatText(text, citations: AnthropicCitations.read(block["citations"])))
        case "thinking":
            let text = try ReplyField.text(block["thinking"], "\(name).thinking")
            return .reasoning(ChatReasoning(text, seal: seal(block["signature"]?.string)))
        case "redacted_thinking":
            let data = try ReplyField.text(block["data"], "\(name).data")
            return .reasoning(ChatReasoning("", seal: redacted(data)))
        case "tool_use":
            let input = try ReplyField.object(block["input"], "\(name).input")
            return .toolCall(
                ChatToolCall(
                    id: try ReplyField.text(block["id"], "\(name).id"),
                    name: try ReplyField.text(block["name"], "\(name).name"),
                    arguments: String(decoding: input.bytes, as: UTF8.self)))
        default:
            return .opaque(.anthropic, type: type, block)
        }
    }

    /// What vouches for a thought; nil where it is empty.
    static func seal(_ signature: String?) -> ChatSeal? {
        signature.flatMap { $0.isEmpty ? nil : ChatSeal($0, origin: .anthropic) }
    }

    /// What stands for a thought.
    static func redacted(_ data: String) -> ChatSeal {
        ChatSeal(data, origin: .anthropic, replacesText: true)
    }
}
