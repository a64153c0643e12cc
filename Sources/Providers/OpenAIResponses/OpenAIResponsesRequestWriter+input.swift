import Chat
import JSON

extension OpenAIResponsesRequestWriter {
    /// The conversation from the message `first` on, as a list of items.
    mutating func write(messages: [ChatMessage], from first: Int) throws(UpstreamRequest.Unsayable) {
        json.openArray()
        for (index, message) in messages.enumerated().dropFirst(first) {
            if message.name != nil { omit("name") }
            switch message.role {
            case .system, .developer, .user: try write(said: message, index)
            case .assistant: try write(answer: message, index)
            case .tool: try write(results: message, index)
            }
        }
        json.closeArray()
    }

    // MARK: What a client says

    private mutating func write(said message: ChatMessage, _ index: Int) throws(UpstreamRequest.Unsayable) {
        var opaque: [(Int, ChatPart)] = []
        var said: [(Int, ChatPart)] = []
        for (place, part) in message.parts.enumerated() {
            if case .opaque = part.content {
                opaque.append((place, part))
            } else {
                said.append((place, part))
            }
        }
        if !said.isEmpty || opaque.isEmpty {
            json.openObject()
            json.field("type", "message")
            json.field("role", message.role.rawValue)
            json.key("content")
            try write(parts: said, of: "messages[\(index)].content")
            json.closeObject()
        }
        for (place, part) in opaque { try write(opaque: part, "messages[\(index)].content[\(place)]") }
    }

    /// Text as a string where it is nothing else, and a list of parts otherwise.
    private mutating func write(parts: [(Int, ChatPart)], of field: String) throws(UpstreamRequest.Unsayable)
    {
        if parts.count == 1, case .text(let text) = parts[0].1.content {
            if parts[0].1.cache != nil { omit("cache_control") }
            return json.value(text.text)
        }
        json.openArray()
        for (place, part) in parts {
            if part.cache != nil { omit("cache_control") }
            try write(inputPart: part, "\(field)[\(place)]")
        }
        json.closeArray()
    }

    private mutating func write(inputPart part: ChatPart, _ field: @autoclosure () -> String)
        throws(UpstreamRequest.Unsayable)
    {
        switch part.content {
        case .text(let text): write(inputText: text.text)
        case .refusal(let text): write(inputText: text)
        case .media(let media):
            switch media.kind {
            case .image: try write(image: media, field())
            case .file: try write(file: media, field())
            case .audio, .video:
                throw UpstreamRequest.Unsayable(
                    field(), "\(media.kind.rawValue) cannot be sent to this model")
            }
        case .reasoning, .toolCall, .toolResult, .opaque:
            throw UpstreamRequest.Unsayable(field(), "cannot be said here to this model")
        }
    }

    private mutating func write(inputText text: String) {
        json.object { json in
            json.field("type", "input_text")
            json.field("text", text)
        }
    }

    private mutating func write(image: ChatMedia, _ field: @autoclosure () -> String)
        throws(UpstreamRequest.Unsayable)
    {
        if case .text = image.source {
            throw UpstreamRequest.Unsayable(field(), "an image cannot be sent as text")
        }
        json.object { json in
            json.field("type", "input_image")
            switch image.source {
            case .url(let url): json.field("image_url", url)
            case .base64(let data):
                json.field("image_url", "data:\(image.mediaType ?? "image/png");base64,\(data)")
            case .file(let id): json.field("file_id", id)
            case .text: break
            }
            // Servers that read with OpenAI's types want it.
            json.field("detail", image.detail ?? "auto")
        }
    }

    private mutating func write(file: ChatMedia, _ field: @autoclosure () -> String)
        throws(UpstreamRequest.Unsayable)
    {
        if case .text(let text) = file.source { return write(inputText: text) }
        json.object { json in
            json.field("type", "input_file")
            switch file.source {
            case .url(let url): json.field("file_url", url)
            case .base64(let data):
                let mediaType = file.mediaType ?? "application/pdf"
                // The provider wants a name beside the bytes, and looks at its ending.
                json.field(
                    "filename", file.name ?? (mediaType == "application/pdf" ? "document.pdf" : "document"))
                json.field("file_data", "data:\(mediaType);base64,\(data)")
            case .file(let id): json.field("file_id", id)
            case .text: break
            }
            json.field("detail", ifPresent: file.detail)
        }
    }

    // MARK: What the model has said

    /// Parts of an answer in their order: words in a row are one message, thoughts and calls are items of their own.
    private mutating func write(answer message: ChatMessage, _ index: Int) throws(UpstreamRequest.Unsayable) {
        var position = 0
        let parts = message.parts
        while position < parts.count {
            let part = parts[position]
            if part.cache != nil { omit("cache_control") }
            switch part.content {
            case .text, .refusal:
                let end = parts[position...].firstIndex { !$0.isSpoken } ?? parts.count
                write(spoken: parts[position..<end])
                position = end
                continue
            case .reasoning: position = write(reasoningFrom: position, of: parts)
            case .toolCall(let call): write(call)
            case .opaque(.openAIResponses, _, let value): json.value(value)
            // What another provider has run is over; what came of it is in the words that follow.
            case .opaque(_, let type, _): omit(type)
            case .media, .toolResult:
                throw UpstreamRequest.Unsayable(
                    "messages[\(index)].content[\(position)]", "cannot be part of an answer of this model")
            }
            position += 1
        }
    }

    private mutating func write(spoken parts: ArraySlice<ChatPart>) {
        json.object { json in
            json.field("type", "message")
            json.field("role", "assistant")
            if parts.count == 1, case .text(let text)? = parts.first?.content, text.citations.isEmpty {
                return json.field("content", text.text)
            }
            json.array("content") { json in
                for part in parts {
                    switch part.content {
                    case .text(let text): text.writeOpenAIResponses(&json)
                    case .refusal(let text): json.writeRefusal(text)
                    default: break
                    }
                }
            }
        }
    }

    /// The thought at `position` if it is sealed, with its summary beside it; what only another provider can read, and
    /// what nobody vouches for, is left out. Answers the position of its last part.
    private mutating func write(reasoningFrom position: Int, of parts: [ChatPart]) -> Int {
        guard case .reasoning(let first) = parts[position].content else { return position }
        var thought = first
        var content = ""
        var last = position
        // A thought and its summary are one item, whose seal is at the end.
        if first.seal == nil, !first.isSummary, position + 1 < parts.count,
            case .reasoning(let second) = parts[position + 1].content, second.isSummary
        {
            (content, thought, last) = (first.text, second, position + 1)
        }
        guard let seal = thought.seal, seal.origin == .openAIResponses else { return last }
        if !thought.isSummary { swap(&content, &thought.text) }
        json.object { json in
            json.field("type", "reasoning")
            json.field("id", ifPresent: seal.id)
            json.array("summary") { json in
                if !thought.text.isEmpty { json.writeText(thought.text, type: "summary_text") }
            }
            if !content.isEmpty {
                json.array("content") { $0.writeText(content, type: "reasoning_text") }
            }
            json.field("encrypted_content", seal.data)
        }
        return last
    }

    private mutating func write(_ call: ChatToolCall) {
        json.object { json in
            json.field("type", call.isCustom ? "custom_tool_call" : "function_call")
            json.field("call_id", call.id)
            json.field("name", call.name)
            if call.isCustom {
                json.field("input", call.arguments)
            } else {
                json.field("arguments", call.arguments)
            }
        }
    }

    private mutating func write(opaque part: ChatPart, _ field: @autoclosure () -> String)
        throws(UpstreamRequest.Unsayable)
    {
        guard case .opaque(let dialect, let type, let value) = part.content else { return }
        guard dialect == .openAIResponses else {
            throw UpstreamRequest.Unsayable(field(), "\"\(type)\" cannot be sent to this model")
        }
        json.value(value)
    }

    // MARK: What tools have answered

    private mutating func write(results message: ChatMessage, _ index: Int) throws(UpstreamRequest.Unsayable)
    {
        for (place, part) in message.parts.enumerated() {
            let field = "messages[\(index)].content[\(place)]"
            if part.cache != nil { omit("cache_control") }
            if case .opaque = part.content {
                try write(opaque: part, field)
                continue
            }
            guard case .toolResult(let result) = part.content else {
                throw UpstreamRequest.Unsayable(field, "must be the result of a tool")
            }
            if result.isError { omit("is_error") }
            json.openObject()
            json.field("type", result.isCustom ? "custom_tool_call_output" : "function_call_output")
            json.field("call_id", result.callID)
            json.key("output")
            if result.parts.isEmpty {
                json.value("")
            } else {
                try write(parts: Array(result.parts.enumerated()).map { ($0.offset, $0.element) }, of: field)
            }
            json.closeObject()
        }
    }
}

extension ChatPart {
    /// Whether it is words that a model says.
    fileprivate var isSpoken: Bool {
        switch content {
        case .text, .refusal: true
        case .media, .reasoning, .toolCall, .toolResult, .opaque: false
        }
    }
}
