import Chat
import JSON

extension OpenAIResponsesRequestReader {
    /// A text, or a list of items. Items of one turn of the model are one message, and so are results in a row.
    mutating func input(_ value: JSONValue?) -> [ChatMessage] {
        guard let value = value.present else {
            reader.fault("input", "is required")
            return []
        }
        if let text = value.string { return [ChatMessage(role: .user, text: text)] }
        guard value.kind == .array else {
            reader.fault("input", "must be a string or a list of items")
            return []
        }
        var messages: [ChatMessage] = []
        for (index, item) in value.elements.enumerated() {
            guard let message = message(item, "input[\(index)]") else { continue }
            if let last = messages.last, last.role == message.role,
                message.role == .assistant || message.role == .tool
            {
                messages[messages.count - 1].parts += message.parts
            } else {
                messages.append(message)
            }
        }
        return messages
    }

    /// An item as the message that it is, or is a part of.
    private mutating func message(_ value: JSONValue, _ field: String) -> ChatMessage? {
        guard let item = reader.object(value, field) else { return nil }
        // Messages may come without type.
        guard let type = reader.text(item["type"], "\(field).type") ?? (item["role"] == nil ? nil : "message")
        else {
            reader.fault("\(field).type", "is required")
            return nil
        }
        switch type {
        case "message": return spoken(item, field)
        case "function_call", "custom_tool_call":
            return call(item, isCustom: type == "custom_tool_call", field)
        case "function_call_output", "custom_tool_call_output":
            return result(item, isCustom: type == "custom_tool_call_output", field)
        case "reasoning": return ChatMessage(.assistant, thoughts(item, field))
        case "item_reference":
            reader.fault(field, "refers to an item that is not kept for this model: send the item itself")
            return nil
        default:
            if type == "image_generation_call", let image = OpenAIResponsesDrawing.read(item) {
                return ChatMessage(.assistant, [ChatPart(.media(image))])
            }
            let role: ChatMessage.Role =
                type == "additional_tools" ? .developer : type.hasSuffix("_output") ? .tool : .assistant
            return ChatMessage(role, [ChatPart(.opaque(.openAIResponses, type: type, item))])
        }
    }

    // MARK: Words

    private mutating func spoken(_ item: JSONValue, _ field: String) -> ChatMessage? {
        guard let role = reader.requiredText(item["role"], "\(field).role") else { return nil }
        switch role {
        case "user", "system", "developer", "assistant":
            let parts = parts(item["content"], "\(field).content")
            return ChatMessage.Role(rawValue: role).map { ChatMessage($0, parts) }
        default:
            reader.fault(
                "\(field).role", "must be one of \"user\", \"assistant\", \"system\", \"developer\"")
            return nil
        }
    }

    /// A text, or a list of parts.
    private mutating func parts(_ value: JSONValue?, _ field: String) -> [ChatPart] {
        guard let value = value.present else {
            reader.fault(field, "is required")
            return []
        }
        if let text = value.string { return [.text(text)] }
        guard value.kind == .array else {
            reader.fault(field, "must be a string or a list of parts")
            return []
        }
        return value.elements.enumerated().compactMap { part($0.element, "\(field)[\($0.offset)]") }
    }

    private mutating func part(_ value: JSONValue, _ field: String) -> ChatPart? {
        guard let part = reader.object(value, field),
            let type = reader.requiredText(part["type"], "\(field).type")
        else { return nil }
        let breakpoint = reader.object(part["prompt_cache_breakpoint"], "\(field).prompt_cache_breakpoint")
        // How long it is kept has other words elsewhere.
        let cache = breakpoint.map { _ in ChatCacheMarker() }
        let content: ChatPart.Content? =
            switch type {
            case "input_text", "output_text", "text":
                string(part["text"], "\(field).text").map { .text(ChatText($0, citations: citations(part))) }
            case "refusal": string(part["refusal"], "\(field).refusal").map { .refusal($0) }
            case "input_image": image(part, field).map { .media($0) }
            case "input_file": file(part, field).map { .media($0) }
            case "input_audio": audio(part, field).map { .media($0) }
            default: nil
            }
        if content == nil, !Self.partTypes.contains(type) {
            reader.fault(
                "\(field).type",
                "must be one of \(Self.partTypes.map { "\"\($0)\"" }.joined(separator: ", "))")
        }
        return content.map { ChatPart($0, cache: cache) }
    }

    private static let partTypes = [
        "input_text", "input_image", "input_file", "input_audio", "output_text", "refusal", "text",
    ]

    /// A string that may be empty but must be there.
    private mutating func string(_ value: JSONValue?, _ field: String) -> String? {
        if value.present == nil { reader.fault(field, "is required") }
        return reader.text(value, field)
    }

    private func citations(_ part: JSONValue) -> [ChatCitation] {
        part["annotations"]?.elements.compactMap(ChatCitation.init(openAIResponses:)) ?? []
    }

    // MARK: Media

    private mutating func image(_ part: JSONValue, _ field: String) -> ChatMedia? {
        let detail = reader.text(part["detail"], "\(field).detail")
        if let id = reader.filledText(part["file_id"], "\(field).file_id") {
            return ChatMedia(.image, .file(id: id), detail: detail)
        }
        guard let url = reader.requiredText(part["image_url"], "\(field).image_url") else { return nil }
        guard url.hasPrefix("data:") else { return ChatMedia(.image, .url(url), detail: detail) }
        guard let (mediaType, data) = Self.data(in: url) else {
            reader.fault("\(field).image_url", "must be \"data:<media type>;base64,<data>\" or an address")
            return nil
        }
        return ChatMedia(.image, .base64(data), mediaType: mediaType, detail: detail)
    }

    private mutating func file(_ part: JSONValue, _ field: String) -> ChatMedia? {
        let name = reader.text(part["filename"], "\(field).filename")
        let detail = reader.text(part["detail"], "\(field).detail")
        if let id = reader.filledText(part["file_id"], "\(field).file_id") {
            return ChatMedia(.file, .file(id: id), name: name, detail: detail)
        }
        if let url = reader.filledText(part["file_url"], "\(field).file_url") {
            return ChatMedia(.file, .url(url), name: name, detail: detail)
        }
        guard let text = reader.filledText(part["file_data"], "\(field).file_data") else {
            if part["file_data"].present == nil {
                reader.fault(field, "must have one of file_data, file_id, file_url")
            }
            return nil
        }
        guard text.hasPrefix("data:") else {
            return ChatMedia(.file, .base64(text), name: name, detail: detail)
        }
        guard let (mediaType, data) = Self.data(in: text) else {
            reader.fault("\(field).file_data", "must be \"data:<media type>;base64,<data>\"")
            return nil
        }
        return ChatMedia(.file, .base64(data), mediaType: mediaType, name: name, detail: detail)
    }

    private mutating func audio(_ part: JSONValue, _ field: String) -> ChatMedia? {
        guard let audio = reader.object(part["input_audio"], "\(field).input_audio") else {
            reader.fault("\(field).input_audio", "is required")
            return nil
        }
        let format = reader.requiredText(audio["format"], "\(field).input_audio.format")
        guard let data = reader.requiredText(audio["data"], "\(field).input_audio.data"), let format else {
            return nil
        }
        let mediaType = format == "mp3" ? "audio/mpeg" : "audio/\(format)"
        return ChatMedia(.audio, .base64(data), mediaType: mediaType)
    }

    /// What is within a `data:` address.
    private static func data(in url: String) -> (mediaType: String?, data: String)? {
        guard let comma = url.firstIndex(of: ",") else { return nil }
        let head = url[..<comma].dropFirst("data:".count)
        guard head.hasSuffix(";base64") else { return nil }
        let mediaType = head.dropLast(";base64".count)
        return (mediaType.isEmpty ? nil : String(mediaType), String(url[url.index(after: comma)...]))
    }

    // MARK: Calls and thoughts

    private mutating func call(_ item: JSONValue, isCustom: Bool, _ field: String) -> ChatMessage? {
        let id = reader.requiredText(item["call_id"], "\(field).call_id")
        let name = reader.requiredText(item["name"], "\(field).name")
        let key = isCustom ? "input" : "arguments"
        guard let arguments = string(item.member(key), "\(field).\(key)"), let id, let name else {
            return nil
        }
        let call = ChatToolCall(id: id, name: name, arguments: arguments, isCustom: isCustom)
        return ChatMessage(.assistant, [ChatPart(.toolCall(call))])
    }

    private mutating func result(_ item: JSONValue, isCustom: Bool, _ field: String) -> ChatMessage? {
        let id = reader.requiredText(item["call_id"], "\(field).call_id")
        let parts = parts(item["output"], "\(field).output")
        guard let id else { return nil }
        let result = ChatToolResult(callID: id, parts: parts, isCustom: isCustom)
        return ChatMessage(.tool, [ChatPart(.toolResult(result))])
    }

    /// A thought, a summary of it, and the seal of both.
    private mutating func thoughts(_ item: JSONValue, _ field: String) -> [ChatPart] {
        _ = reader.array(item["summary"], "\(field).summary")
        _ = reader.array(item["content"], "\(field).content")
        let (thought, summary) = OpenAIResponsesOutput.texts(ofReasoning: item)
        var parts: [ChatReasoning] = []
        if !thought.isEmpty { parts.append(ChatReasoning(thought)) }
        if !summary.isEmpty { parts.append(ChatReasoning(summary, isSummary: true)) }
        if let data = reader.text(item["encrypted_content"], "\(field).encrypted_content"), !data.isEmpty {
            if parts.isEmpty { parts.append(ChatReasoning("")) }
            let seal = ForeignSeal.unwrap(data) ?? OpenAIResponsesOutput.seal(ofReasoning: item)
            parts[parts.count - 1].seal = seal?.withoutOwnID
        }
        return parts.map { ChatPart(.reasoning($0)) }
    }
}

extension ChatSeal {
    /// An id that we have made says nothing to the provider, which would take it for a forged one.
    fileprivate var withoutOwnID: ChatSeal {
        guard let id, id.hasPrefix(ReplyContext.ownReasoning) else { return self }
        return ChatSeal(data, origin: origin, replacesText: replacesText)
    }
}
