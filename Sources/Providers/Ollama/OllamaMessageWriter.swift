import Chat
import JSON

/// Writes the turns of a conversation as Ollama has them: one text each, with images beside it.
struct OllamaMessageWriter {
    /// The names of the tools that were called, by the names of the calls.
    private var toolNames: [String: String] = [:]

    mutating func write(_ message: ChatMessage, _ place: String, to json: inout JSONWriter)
        throws(UpstreamRequest.Unsayable)
    {
        if message.role == .tool { return try writeResults(message, place, &json) }
        var content = Content()
        var calls: [ChatToolCall] = []
        for (index, part) in message.parts.enumerated() {
            let place = "\(place).content[\(index)]"
            switch part.content {
            case .reasoning(let reasoning):
                // Thoughts of others are not spoken.
                if reasoning.seal == OllamaThought.seal {
                    content.thinking = (content.thinking ?? "") + reasoning.text
                }
            case .toolCall(let call):
                if call.isCustom { throw .init(place, "is a call of a kind this model does not know") }
                toolNames[call.id] = call.name
                calls.append(call)
            case .opaque where message.role == .assistant:
                // What another provider's own tools did; what they led to is in the text.
                break
            default: try content.add(part, place)
            }
        }
        json.openObject()
        json.field("role", message.role == .developer ? "system" : message.role.rawValue)
        content.write(to: &json)
        if !calls.isEmpty {
            json.array("tool_calls") { json in
                for call in calls { Self.write(call, &json) }
            }
        }
        json.closeObject()
    }

    /// A message for each result.
    private func writeResults(_ message: ChatMessage, _ place: String, _ json: inout JSONWriter)
        throws(UpstreamRequest.Unsayable)
    {
        for (index, part) in message.parts.enumerated() {
            let place = "\(place).content[\(index)]"
            guard case .toolResult(let result) = part.content else {
                throw .init(place, "is not the result of a tool")
            }
            var content = Content()
            for part in result.parts { try content.add(part, place) }
            json.openObject()
            json.field("role", "tool")
            json.field("tool_name", ifPresent: toolNames[result.callID])
            content.write(to: &json)
            json.closeObject()
        }
    }

    private static func write(_ call: ChatToolCall, _ json: inout JSONWriter) {
        json.object { json in
            json.object("function") { json in
                json.field("name", call.name)
                let arguments = try? JSONDocument(parsing: Array(call.arguments.utf8)).root
                if let arguments, arguments.kind == .object {
                    json.field("arguments", arguments)
                } else {
                    // What a model got wrong is still what it said, but only objects can be said here.
                    json.object("arguments") { $0.field("arguments", call.arguments) }
                }
            }
        }
    }

    private struct Content {
        var texts: [String] = []
        var images: [String] = []
        var thinking: String?

        mutating func add(_ part: ChatPart, _ place: String) throws(UpstreamRequest.Unsayable) {
            switch part.content {
            case .text(let text): texts.append(text.text)
            case .refusal(let text): texts.append(text)
            case .media(let media):
                if case .text(let text) = media.source { return texts.append(text) }
                guard media.kind == .image else {
                    throw .init(
                        place, "is of a kind (\(media.kind.rawValue)) that cannot be sent to this model")
                }
                guard case .base64(let data) = media.source else {
                    throw .init(place, "must hold the image itself: this model's server does not fetch any")
                }
                images.append(data)
            case .reasoning, .toolCall, .toolResult, .opaque:
                throw .init(place, "cannot be sent to this model")
            }
        }

        func write(to json: inout JSONWriter) {
            json.field("content", texts.joined(separator: "\n"))
            json.field("thinking", ifPresent: thinking)
            if !images.isEmpty { json.array("images", images) }
        }
    }
}
