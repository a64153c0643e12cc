import Chat
import JSON

/// Reads a whole answer of Converse.
enum BedrockReply {
    static func read(_ root: JSONValue, sealOrigin: ChatDialect) throws(UpstreamFault) -> ChatReply {
        let usage = try BedrockUsage.read(root["usage"])
        let finish = try BedrockStopReason.finish(root, usage: usage)
        let message = try ReplyField.object(root["output"]?["message"], "output.message")
        var parts: [ChatPart] = []
        for block in try ReplyField.array(message["content"], "output.message.content").elements {
            parts.append(ChatPart(try content(block, sealOrigin: sealOrigin)))
        }
        return ChatReply(parts: parts, finish: finish, usage: usage)
    }

    /// A block is an object whose one member says what it is.
    private static func content(
        _ block: JSONValue, sealOrigin: ChatDialect
    ) throws(UpstreamFault) -> ChatPart.Content {
        var members = block.members
        guard let member = members.next() else { throw .garbled("a block of nothing") }
        let value = member.value
        switch member.key {
        case "text": return .text(ChatText(try ReplyField.text(value, "text")))
        case "toolUse":
            // Run by the provider itself.
            if value["type"]?.stringEquals("server_tool_use") == true { break }
            let input = try ReplyField.object(value["input"], "toolUse.input")
            return .toolCall(
                ChatToolCall(
                    id: try ReplyField.text(value["toolUseId"], "toolUse.toolUseId"),
                    name: try ReplyField.text(value["name"], "toolUse.name"),
                    arguments: String(decoding: input.bytes, as: UTF8.self)))
        case "reasoningContent": return .reasoning(try reasoning(value, sealOrigin: sealOrigin))
        case "citationsContent":
            let text = BedrockCitations.quote(value["content"]) ?? ""
            return .text(ChatText(text, citations: BedrockCitations.read(value["citations"])))
        default: break
        }
        return .opaque(.bedrock, type: member.key.string, block)
    }

    private static func reasoning(
        _ value: JSONValue, sealOrigin: ChatDialect
    ) throws(UpstreamFault) -> ChatReasoning {
        if let redacted = value["redactedContent"].present {
            let text = try ReplyField.text(redacted, "redactedContent")
            let bytes = try BedrockSeal.bytes(ofBase64: text)
            return ChatReasoning("", seal: BedrockSeal.redacted(bytes, origin: sealOrigin))
        }
        let said = try ReplyField.object(value["reasoningText"], "reasoningText")
        let seal = BedrockSeal.signature(said["signature"]?.string, origin: sealOrigin)
        return ChatReasoning(try ReplyField.text(said["text"], "reasoningText.text"), seal: seal)
    }
}
