import Chat
import JSON

extension GeminiRequestWriter {
    /// What a call of a tool is signed with that no Gemini has made. The provider documents it for that.
    private static let noSignature = "skip_thought_signature_validator"

    /// Instructions from anywhere in the conversation: there is one place for them.
    mutating func writeInstructions(of request: ChatRequest) throws(UpstreamRequest.Unsayable) {
        let instructions = request.messages.enumerated().filter { $0.element.isInstruction }
        if instructions.allSatisfy({ $0.element.parts.isEmpty }) { return }
        json.key("systemInstruction")
        json.openObject()
        json.key("parts")
        json.openArray()
        for (index, message) in instructions {
            if message.name != nil { omit("name") }
            for (place, part) in message.parts.enumerated() {
                if part.cache != nil { omit("cache_control") }
                guard let text = part.plainText else {
                    throw UpstreamRequest.Unsayable(
                        "messages[\(index)].content[\(place)]", "must be text, as instructions are")
                }
                json.object { $0.field("text", text) }
            }
        }
        json.closeArray()
        json.closeObject()
    }

    /// Turns of the model in a row are one, and so are results: all results of a turn must come together.
    mutating func writeContents(of request: ChatRequest) throws(UpstreamRequest.Unsayable) {
        let names = Self.callNames(in: request)
        json.key("contents")
        json.openArray()
        var last: ChatMessage.Role?
        for (index, message) in request.messages.enumerated()
        where !message.isInstruction && !message.parts.isEmpty {
            if message.name != nil { omit("name") }
            let goesOn = last == message.role && message.role != .user
            if !goesOn {
                if last != nil { closeContent() }
                json.openObject()
                json.field("role", message.role == .assistant ? "model" : "user")
                json.key("parts")
                json.openArray()
            }
            last = message.role
            switch message.role {
            case .assistant: try write(answer: message, index)
            case .tool: try write(results: message, index, names)
            case .user, .system, .developer:
                for (place, part) in message.parts.enumerated() {
                    try write(said: part, "messages[\(index)].content[\(place)]")
                }
            }
        }
        if last == nil {
            throw UpstreamRequest.Unsayable("messages", "must hold more than instructions for this model")
        }
        closeContent()
        json.closeArray()
    }

    private mutating func closeContent() {
        json.closeArray()
        json.closeObject()
    }

    private static func callNames(in request: ChatRequest) -> [String: String] {
        var names: [String: String] = [:]
        for part in request.messages.lazy.flatMap(\.parts) {
            if case .toolCall(let call) = part.content { names[call.id] = call.name }
        }
        return names
    }

    // MARK: Parts

    private mutating func write(
        said part: ChatPart, signature: String? = nil, _ field: @autoclosure () -> String
    )
        throws(UpstreamRequest.Unsayable)
    {
        if part.cache != nil { omit("cache_control") }
        switch part.content {
        case .text(let text): write(text: text.text, signature: signature)
        case .refusal(let text): write(text: text, signature: signature)
        case .media(let media):
            if case .text(let text) = media.source { return write(text: text, signature: signature) }
            if media.detail != nil { omit("detail") }
            if media.name != nil { omit("filename") }
            json.openObject()
            media.writeGemini(&json)
            json.field("thoughtSignature", ifPresent: signature)
            json.closeObject()
        case .opaque(.gemini, _, let value): json.value(value)
        case .opaque(_, let type, _):
            throw UpstreamRequest.Unsayable(field(), "\"\(type)\" cannot be sent to this model")
        case .reasoning, .toolCall, .toolResult:
            throw UpstreamRequest.Unsayable(field(), "cannot be said here to this model")
        }
    }

    private mutating func write(text: String, isThought: Bool = false, signature: String?) {
        json.object { json in
            json.field("text", text)
            if isThought { json.field("thought", true) }
            json.field("thoughtSignature", ifPresent: signature)
        }
    }

    // MARK: Answers

    private mutating func write(answer message: ChatMessage, _ index: Int) throws(UpstreamRequest.Unsayable) {
        /// What the next part is signed with.
        var signature: String?
        var mustSign = model.isThree && !message.parts.contains { $0.geminiSeal != nil }
        for (place, part) in message.parts.enumerated() {
            switch part.content {
            case .reasoning(let reasoning):
                flush(&signature)
                write(reasoning, &signature)
            case .toolCall(let call):
                if part.cache != nil { omit("cache_control") }
                write(call, signature: signature ?? (mustSign ? Self.noSignature : nil))
                signature = nil
                mustSign = false
            case .opaque(.gemini, _, let value):
                flush(&signature)
                json.value(value)
            // What another provider has run is over; what came of it is in the words that follow.
            case .opaque(_, let type, _): omit(type)
            // A part that says nothing is refused unless it is signed.
            case .text(let text) where text.text.isEmpty && signature == nil && message.parts.count > 1: break
            case .text, .refusal, .media, .toolResult:
                try write(said: part, signature: signature, "messages[\(index)].content[\(place)]")
                signature = nil
            }
        }
        flush(&signature)
    }

    /// A signature of a part that said nothing.
    private mutating func flush(_ signature: inout String?) {
        if let signature { write(text: "", signature: signature) }
        signature = nil
    }

    /// What only another provider can read, and what nobody vouches for, is left out.
    private mutating func write(_ reasoning: ChatReasoning, _ signature: inout String?) {
        guard let seal = reasoning.seal, seal.origin == .gemini else { return }
        if seal.replacesText { return write(text: reasoning.text, isThought: true, signature: seal.data) }
        if !reasoning.text.isEmpty { write(text: reasoning.text, isThought: true, signature: nil) }
        signature = seal.data
    }

    private mutating func write(_ call: ChatToolCall, signature: String?) {
        let arguments = call.isCustom ? nil : JSONValue.object(in: call.arguments)
        json.object { json in
            json.object("functionCall") { json in
                json.field("id", call.id)
                json.field("name", call.name)
                json.key("args")
                if let arguments {
                    json.value(arguments)
                } else {
                    json.object { json in
                        // A text, or what the model has written wrong: it is told all the same.
                        if call.isCustom || !call.arguments.isEmpty { json.field("input", call.arguments) }
                    }
                }
            }
            json.field("thoughtSignature", ifPresent: signature)
        }
    }

    // MARK: Results

    private mutating func write(results message: ChatMessage, _ index: Int, _ names: [String: String])
        throws(UpstreamRequest.Unsayable)
    {
        for (place, part) in message.parts.enumerated() {
            let field = "messages[\(index)].content[\(place)]"
            if part.cache != nil { omit("cache_control") }
            guard case .toolResult(let result) = part.content else {
                throw UpstreamRequest.Unsayable(field, "must be the result of a tool")
            }
            guard let name = names[result.callID] else {
                throw UpstreamRequest.Unsayable(field, "answers a call that is not in the conversation")
            }
            try write(result, of: name, field)
        }
    }

    private mutating func write(_ result: ChatToolResult, of name: String, _ field: String)
        throws(UpstreamRequest.Unsayable)
    {
        let media = result.parts.enumerated().filter { $0.element.plainText == nil }
        let text = result.parts.compactMap(\.plainText).joined(separator: "\n")
        json.openObject()
        json.object("functionResponse") { json in
            json.field("id", result.callID)
            json.field("name", name)
            json.key("response")
            let object = JSONValue.object(in: text)
            if let object, !result.isError { return json.value(object) }
            json.object { json in
                json.key(result.isError ? "error" : "output")
                if let object { json.value(object) } else { json.value(text) }
            }
        }
        json.closeObject()
        // Beside the result, because only the latest models look into one.
        for (place, part) in media { try write(said: part, "\(field).content[\(place)]") }
    }
}

extension ChatMessage {
    /// Whether it is said by who runs the model, and not in the conversation.
    var isInstruction: Bool { role == .system || role == .developer }
}

extension ChatPart {
    fileprivate var geminiSeal: ChatSeal? {
        guard case .reasoning(let reasoning) = content, let seal = reasoning.seal, seal.origin == .gemini
        else {
            return nil
        }
        return seal
    }
}

extension ChatMedia {
    /// The fields of a part. Text is one of another kind.
    fileprivate func writeGemini(_ json: inout JSONWriter) {
        switch source {
        case .base64(let data):
            json.object("inlineData") { json in
                json.field("mimeType", mediaType ?? usualType)
                json.field("data", data)
            }
        case .url(let uri), .file(let uri):
            json.object("fileData") { json in
                json.field("mimeType", ifPresent: mediaType)
                json.field("fileUri", uri)
            }
        case .text: break
        }
    }

    private var usualType: String {
        switch kind {
        case .image: "image/png"
        case .audio: "audio/wav"
        case .video: "video/mp4"
        case .file: "application/pdf"
        }
    }
}

extension JSONValue {
    /// The object that `text` is, if it is one.
    fileprivate static func object(in text: String) -> JSONValue? {
        guard let root = (try? JSONDocument(parsing: Array(text.utf8)))?.root, root.kind == .object else {
            return nil
        }
        return root
    }
}
