import Chat
import JSON

/// Reads the messages of a client's request and their content blocks.
struct AnthropicMessageReader {
    private enum Role: String, CaseIterable { case user, assistant, system }

    mutating func read(_ messages: JSONValue?, _ reader: inout RequestReader) -> [ChatMessage] {
        guard let list = reader.requiredArray(messages, "messages") else { return [] }
        var result: [ChatMessage] = []
        for (index, value) in list.elements.enumerated() {
            let field = "messages[\(index)]"
            guard let message = reader.object(value, field) else {
                if value.isNull { reader.fault(field, "must be an object") }
                continue
            }
            if message["role"].present == nil { reader.fault("\(field).role", "is required") }
            guard let role: Role = reader.choice(message["role"], "\(field).role") else { continue }
            let content = message["content"].present
            // An instruction may come without words, to change how the model goes on.
            if content == nil, role != .system { reader.fault("\(field).content", "is required") }
            let chatRole = ChatMessage.Role(rawValue: role.rawValue) ?? .user
            let parts = content.map { self.content($0, "\(field).content", of: chatRole, &reader) } ?? []
            append(parts, of: chatRole, to: &result)
        }
        return result
    }

    /// The results of tools stand in turns of the user; for us they are turns of their own.
    private func append(_ parts: [ChatPart], of role: ChatMessage.Role, to messages: inout [ChatMessage]) {
        guard role == .user, !parts.isEmpty else { return messages.append(ChatMessage(role, parts)) }
        var rest = parts[...]
        while let first = rest.first {
            let run = rest.prefix { $0.isToolResult == first.isToolResult }
            messages.append(ChatMessage(first.isToolResult ? .tool : .user, Array(run)))
            rest = rest.dropFirst(run.count)
        }
    }

    /// A string or blocks.
    mutating func content(
        _ value: JSONValue, _ field: String, of role: ChatMessage.Role, _ reader: inout RequestReader
    ) -> [ChatPart] {
        if let text = value.string { return text.isEmpty ? [] : [.text(text)] }
        guard value.kind == .array else {
            reader.fault(field, "must be a string or a list of blocks")
            return []
        }
        return value.elements.enumerated().compactMap { index, block in
            part(block, "\(field)[\(index)]", of: role, &reader)
        }
    }

    private mutating func part(
        _ value: JSONValue, _ field: String, of role: ChatMessage.Role, _ reader: inout RequestReader
    ) -> ChatPart? {
        guard value.kind == .object else {
            reader.fault(field, "must be an object")
            return nil
        }
        guard let type = reader.requiredText(value["type"], "\(field).type") else { return nil }
        if let owner = Self.owner(of: type), owner != role {
            reader.fault("\(field).type", "\"\(type)\" can only be in messages of the role \(owner.rawValue)")
            return nil
        }
        let isOpaque: Bool
        let content: ChatPart.Content?
        (content, isOpaque) = self.content(of: value, type, field, &reader)
        guard let content else { return nil }
        // A block that is passed on as it is has its mark inside.
        if isOpaque { return ChatPart(content) }
        return ChatPart(content, cache: Self.cache(value["cache_control"], "\(field).cache_control", &reader))
    }

    /// Whose blocks of this type are; nil where anybody may have them.
    private static func owner(of type: String) -> ChatMessage.Role? {
        switch type {
        case "thinking", "redacted_thinking", "tool_use": .assistant
        case "tool_result": .user
        default: nil
        }
    }

    private mutating func content(
        of block: JSONValue, _ type: String, _ field: String, _ reader: inout RequestReader
    ) -> (ChatPart.Content?, isOpaque: Bool) {
        switch type {
        case "text":
            guard let text = text(block["text"], "\(field).text", &reader) else { return (nil, false) }
            return (.text(ChatText(text, citations: AnthropicCitations.read(block["citations"]))), false)
        case "image", "document":
            let kind: ChatMedia.Kind = type == "image" ? .image : .file
            switch AnthropicSourceReader.read(block, kind, field, &reader) {
            case .media(let media): return (.media(media), false)
            case .blocks: return (.opaque(.anthropic, type: type, block), true)
            case nil: return (nil, false)
            }
        case "thinking":
            guard let thought = text(block["thinking"], "\(field).thinking", &reader) else {
                return (nil, false)
            }
            let signature = reader.text(block["signature"], "\(field).signature")
            return (.reasoning(Self.reasoning(thought, signature: signature)), false)
        case "redacted_thinking":
            guard let data = text(block["data"], "\(field).data", &reader) else { return (nil, false) }
            let seal = ForeignSeal.unwrap(data) ?? AnthropicReply.redacted(data)
            return (.reasoning(ChatReasoning("", seal: seal)), false)
        case "tool_use": return (toolCall(block, field, &reader), false)
        case "tool_result": return (toolResult(block, field, &reader), false)
        default: return (.opaque(.anthropic, type: type, block), true)
        }
    }

    /// A text that must be there and may be empty.
    private func text(_ value: JSONValue?, _ field: String, _ reader: inout RequestReader) -> String? {
        if value.present == nil { reader.fault(field, "is required") }
        return reader.text(value, field)
    }

    private static func reasoning(_ text: String, signature: String?) -> ChatReasoning {
        let foreign = signature.flatMap(ForeignSeal.unwrap)
        // Text beside a seal that stands for the thoughts can only be their summary.
        let isSummary = foreign?.replacesText == true && !text.isEmpty
        return ChatReasoning(text, isSummary: isSummary, seal: foreign ?? AnthropicReply.seal(signature))
    }

    // MARK: Tools

    private func toolCall(
        _ block: JSONValue, _ field: String, _ reader: inout RequestReader
    ) -> ChatPart.Content? {
        let id = reader.requiredText(block["id"], "\(field).id")
        let name = reader.requiredText(block["name"], "\(field).name")
        if block["input"].present == nil { reader.fault("\(field).input", "is required") }
        let input = reader.object(block["input"], "\(field).input")
        guard let id, let name, let input else { return nil }
        let arguments = String(decoding: input.bytes, as: UTF8.self)
        return .toolCall(ChatToolCall(id: id, name: name, arguments: arguments))
    }

    private mutating func toolResult(
        _ block: JSONValue, _ field: String, _ reader: inout RequestReader
    ) -> ChatPart.Content? {
        let id = reader.requiredText(block["tool_use_id"], "\(field).tool_use_id")
        let isError = reader.flag(block["is_error"], "\(field).is_error") ?? false
        let parts =
            block["content"].present.map { content($0, "\(field).content", of: .tool, &reader) } ?? []
        return id.map { .toolResult(ChatToolResult(callID: $0, parts: parts, isError: isError)) }
    }

    static func cache(
        _ value: JSONValue?, _ field: @autoclosure () -> String, _ reader: inout RequestReader
    ) -> ChatCacheMarker? {
        guard value.present != nil else { return nil }
        let field = field()
        guard let marker = reader.object(value, field) else { return nil }
        return ChatCacheMarker(lifetime: reader.text(marker["ttl"], "\(field).ttl"))
    }
}

extension ChatPart {
    fileprivate var isToolResult: Bool {
        if case .toolResult = content { true } else { false }
    }
}
