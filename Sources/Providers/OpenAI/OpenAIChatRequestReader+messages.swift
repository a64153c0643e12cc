import Base
import Chat
import JSON

extension OpenAIChatRequestReader {
    mutating func read(message: JSONValue, _ field: String) -> ChatMessage? {
        guard let message = requiredObject(message, field) else { return nil }
        let name = fields.text(message["name"], "\(field).name")
        switch fields.requiredText(message["role"], "\(field).role") {
        case "system": return ChatMessage(.system, content(message, field), name: name)
        case "developer": return ChatMessage(.developer, content(message, field), name: name)
        case "user": return ChatMessage(.user, content(message, field), name: name)
        case "assistant":
            // What was thought goes before what was said, and what was said before what is called.
            let images = OpenAIDrawings.read(message["images"].present)
            let (thoughts, seals) = thoughts(of: message, imageCount: images.count)
            let refusal = fields.text(message["refusal"], "\(field).refusal")
            let parts =
                thoughts + content(message, field) + (refusal.map { [ChatPart(.refusal($0))] } ?? [])
                + images.enumerated().flatMap { index, image in
                    Self.sealed(ChatPart(.media(image)), by: seals[OpenAIDrawings.id(index)])
                } + calls(of: message, field, seals: seals)
            return ChatMessage(.assistant, parts, name: name)
        case "tool":
            guard let id = fields.requiredText(message["tool_call_id"], "\(field).tool_call_id") else {
                return nil
            }
            return ChatMessage(
                .tool, [ChatPart(.toolResult(.init(callID: id, parts: content(message, field))))], name: name)
        case "function":
            fields.fault("\(field).role", "is of an older dialect; use \"tool\"")
            return nil
        case .some:
            fields.fault(
                "\(field).role", "must be \"system\", \"developer\", \"user\", \"assistant\" or \"tool\"")
            return nil
        case nil: return nil
        }
    }

    // MARK: Content

    private mutating func content(_ message: JSONValue, _ field: String) -> [ChatPart] {
        guard let content = message["content"].present else { return [] }
        if let text = content.string { return [.text(text)] }
        guard content.kind == .array else {
            fields.fault("\(field).content", "must be a string or a list of parts")
            return []
        }
        var parts: [ChatPart] = []
        for (index, part) in content.elements.enumerated() {
            if let part = read(part: part, "\(field).content[\(index)]") { parts.append(part) }
        }
        return parts
    }

    private mutating func read(part: JSONValue, _ field: String) -> ChatPart? {
        guard let part = requiredObject(part, field),
            let type = fields.requiredText(part["type"], "\(field).type")
        else { return nil }
        let content: ChatPart.Content?
        switch type {
        case "text": content = said(part["text"], "\(field).text").map { .text(ChatText($0)) }
        case "refusal": content = said(part["refusal"], "\(field).refusal").map { .refusal($0) }
        case "image_url": content = image(part, field).map { .media($0) }
        case "input_audio": content = audio(part, field).map { .media($0) }
        case "file": content = file(part, field).map { .media($0) }
        default: content = .opaque(.openAIChat, type: type, part)
        }
        return content.map { ChatPart($0, cache: Self.cache(part["cache_control"])) }
    }

    /// A text that must be there, and may be empty.
    private mutating func said(_ value: JSONValue?, _ field: @autoclosure () -> String) -> String? {
        if value.present == nil { fields.fault(field(), "is required") }
        return fields.text(value, field())
    }

    private mutating func image(_ part: JSONValue, _ field: String) -> ChatMedia? {
        guard let image = requiredObject(part["image_url"], "\(field).image_url"),
            let url = fields.requiredText(image["url"], "\(field).image_url.url")
        else { return nil }
        let detail = fields.text(image["detail"], "\(field).image_url.detail")
        var media = ChatMedia(.image, url: url)
        media.detail = detail
        return media
    }

    private mutating func audio(_ part: JSONValue, _ field: String) -> ChatMedia? {
        guard let audio = requiredObject(part["input_audio"], "\(field).input_audio"),
            let data = fields.requiredText(audio["data"], "\(field).input_audio.data"),
            let format = fields.requiredText(audio["format"], "\(field).input_audio.format")
        else { return nil }
        return ChatMedia(.audio, .base64(data), mediaType: "audio/\(format)")
    }

    private mutating func file(_ part: JSONValue, _ field: String) -> ChatMedia? {
        guard let file = requiredObject(part["file"], "\(field).file") else { return nil }
        let name = fields.text(file["filename"], "\(field).file.filename")
        if let id = fields.text(file["file_id"], "\(field).file.file_id") {
            return ChatMedia(.file, .file(id: id), name: name)
        }
        guard let data = fields.requiredText(file["file_data"], "\(field).file.file_data") else { return nil }
        var media = ChatMedia(.file, url: data)
        media.name = name
        return media
    }

    // MARK: What an assistant thought and called

    private mutating func thoughts(
        of message: JSONValue, imageCount: Int
    ) -> (before: [ChatPart], byOwner: [String: ChatSeal]) {
        if let list = message["reasoning_details"].present, list.kind == .array {
            let owners =
                (message["tool_calls"]?.elements ?? JSONElements.none).compactMap { $0["id"]?.string }
                + (0..<imageCount).map(OpenAIDrawings.id)
            var parts: [ChatPart] = []
            var byOwner: [String: ChatSeal] = [:]
            for detail in OpenAIReasoningDetails.read(list) {
                if let id = detail.id, var seal = detail.reasoning.seal, owners.contains(id) {
                    seal.id = nil
                    byOwner[id] = seal
                } else {
                    parts.append(ChatPart(.reasoning(detail.reasoning)))
                }
            }
            return (parts, byOwner)
        }
        guard let text = message["reasoning_content"]?.string ?? message["reasoning"]?.string, !text.isEmpty
        else { return ([], [:]) }
        return ([ChatPart(.reasoning(ChatReasoning(text)))], [:])
    }

    private mutating func calls(
        of message: JSONValue, _ field: String, seals: [String: ChatSeal]
    ) -> [ChatPart] {
        guard let list = fields.array(message["tool_calls"], "\(field).tool_calls") else { return [] }
        var parts: [ChatPart] = []
        for (index, call) in list.elements.enumerated() {
            let field = "\(field).tool_calls[\(index)]"
            guard let id = fields.requiredText(call["id"], "\(field).id") else { continue }
            let isCustom = call["type"]?.stringEquals("custom") ?? false
            let holder = isCustom ? "custom" : "function"
            guard let function = requiredObject(call.member(holder), "\(field).\(holder)"),
                let name = fields.requiredText(function["name"], "\(field).\(holder).name")
            else { continue }
            let argument = isCustom ? "input" : "arguments"
            let arguments = fields.text(function.member(argument), "\(field).\(holder).\(argument)") ?? ""
            let call = ChatToolCall(id: id, name: name, arguments: arguments, isCustom: isCustom)
            parts += Self.sealed(ChatPart(.toolCall(call)), by: seals[id])
        }
        return parts
    }

    private static func sealed(_ part: ChatPart, by seal: ChatSeal?) -> [ChatPart] {
        (seal.map { [ChatPart(.reasoning(ChatReasoning("", seal: $0)))] } ?? []) + [part]
    }
}
