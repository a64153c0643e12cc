import Chat
import JSON

/// Writes one turn of a conversation as Cohere has it.
struct CohereMessageWriter {
    private let message: ChatMessage
    /// Where it is in the request.
    private let place: String

    init(_ message: ChatMessage, _ place: String) {
        self.message = message
        self.place = place
    }

    func write(to json: inout JSONWriter) throws(UpstreamRequest.Unsayable) {
        switch message.role {
        case .system, .developer: try write(role: "system", &json)
        case .user: try write(role: "user", &json)
        case .assistant: try writeAssistant(&json)
        case .tool: try writeResults(&json)
        }
    }

    private func place(_ index: Int) -> String { "\(place).content[\(index)]" }

    /// A piece of content.
    private enum Piece {
        case text(String)
        case thinking(String)
        case image(url: String, detail: String?)
    }

    // MARK: Roles

    private func write(role: String, _ json: inout JSONWriter) throws(UpstreamRequest.Unsayable) {
        var pieces: [Piece] = []
        for (index, part) in message.parts.enumerated() {
            pieces.append(try piece(part, place(index), takesImages: message.role == .user))
        }
        json.openObject()
        json.field("role", role)
        write(pieces, &json)
        json.closeObject()
    }

    private func writeAssistant(_ json: inout JSONWriter) throws(UpstreamRequest.Unsayable) {
        var pieces: [Piece] = []
        var plan: String?
        var calls: [ChatToolCall] = []
        for (index, part) in message.parts.enumerated() {
            switch part.content {
            case .reasoning(let reasoning):
                switch CohereThought(reasoning) {
                case .plan: plan = (plan ?? "") + reasoning.text
                case .thinking: pieces.append(.thinking(reasoning.text))
                // Thoughts of others are not spoken.
                case nil: break
                }
            case .toolCall(let call):
                if call.isCustom { throw .init(place(index), "is a call of a kind this model does not know") }
                calls.append(call)
            case .opaque:
                // What another provider's own tools did; what they led to is in the text.
                break
            default: pieces.append(try piece(part, place(index), takesImages: false))
            }
        }
        json.openObject()
        json.field("role", "assistant")
        if !pieces.isEmpty || calls.isEmpty { write(pieces, &json) }
        if !calls.isEmpty {
            json.field("tool_plan", ifPresent: plan)
            write(calls, &json)
        }
        json.closeObject()
    }

    private func write(_ calls: [ChatToolCall], _ json: inout JSONWriter) {
        json.array("tool_calls") { json in
            for call in calls {
                json.object { json in
                    json.field("id", call.id)
                    json.field("type", "function")
                    json.object("function") { json in
                        json.field("name", call.name)
                        json.field("arguments", call.arguments)
                    }
                }
            }
        }
    }

    /// A message for each result.
    private func writeResults(_ json: inout JSONWriter) throws(UpstreamRequest.Unsayable) {
        for (index, part) in message.parts.enumerated() {
            guard case .toolResult(let result) = part.content else {
                throw .init(place(index), "is not the result of a tool")
            }
            var pieces: [Piece] = []
            for part in result.parts {
                pieces.append(try piece(part, place(index), takesImages: false))
            }
            json.openObject()
            json.field("role", "tool")
            json.field("tool_call_id", result.callID)
            write(pieces, &json)
            json.closeObject()
        }
    }

    // MARK: Content

    private func piece(_ part: ChatPart, _ place: String, takesImages: Bool)
        throws(UpstreamRequest.Unsayable) -> Piece
    {
        switch part.content {
        case .text(let text): return .text(text.text)
        case .refusal(let text): return .text(text)
        case .media(let media):
            if case .text(let text) = media.source { return .text(text) }
            guard media.kind == .image, takesImages else {
                throw .init(
                    place, "is of a kind (\(media.kind.rawValue)) that cannot be sent to this model here")
            }
            return .image(url: try url(of: media, place), detail: media.detail)
        case .reasoning, .toolCall, .toolResult, .opaque:
            throw .init(place, "cannot be sent to this model")
        }
    }

    private func url(of media: ChatMedia, _ place: String) throws(UpstreamRequest.Unsayable) -> String {
        switch media.source {
        case .url(let url): return url
        case .base64(let data):
            guard let type = media.mediaType ?? Self.type(ofBase64: data) else {
                throw .init(place, "must say which type of image it is")
            }
            return "data:\(type);base64,\(data)"
        case .file, .text:
            throw .init(place, "is kept by another provider; send the image itself")
        }
    }

    /// What the first bytes of an image say.
    private static func type(ofBase64 data: String) -> String? {
        switch true {
        case data.hasPrefix("iVBORw0KGgo"): "image/png"
        case data.hasPrefix("/9j/"): "image/jpeg"
        case data.hasPrefix("R0lGOD"): "image/gif"
        case data.hasPrefix("UklGR"): "image/webp"
        default: nil
        }
    }

    /// One text is written as a string: the form that every model takes.
    private func write(_ pieces: [Piece], _ json: inout JSONWriter) {
        if pieces.isEmpty { return json.field("content", "") }
        if pieces.count == 1, case .text(let text) = pieces[0] { return json.field("content", text) }
        json.array("content") { json in
            for piece in pieces {
                json.object { json in
                    switch piece {
                    case .text(let text):
                        json.field("type", "text")
                        json.field("text", text)
                    case .thinking(let text):
                        json.field("type", "thinking")
                        json.field("thinking", text)
                    case .image(let url, let detail):
                        json.field("type", "image_url")
                        json.object("image_url") { json in
                            json.field("url", url)
                            json.field("detail", ifPresent: detail)
                        }
                    }
                }
            }
        }
    }
}
