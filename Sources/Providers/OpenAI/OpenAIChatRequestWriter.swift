import Chat
import JSON

/// Writes a request in OpenAI's chat dialect, as one of its relatives wants it.
struct OpenAIChatRequestWriter {
    var json = JSONWriter(capacity: 1024)
    private(set) var omitted: [String] = []
    private let quirks: OpenAIQuirks

    init(_ quirks: OpenAIQuirks) { self.quirks = quirks }

    mutating func write(_ request: ChatRequest, model: String) throws(UpstreamRequest.Unsayable) {
        json.openObject()
        json.field("model", model)
        json.key("messages")
        json.openArray()
        for (index, message) in request.messages.enumerated() {
            try write(message, "messages[\(index)]")
        }
        json.closeArray()
        try write(tools: request.tools)
        write(request.toolChoice, request.tools)
        json.field("parallel_tool_calls", ifPresent: request.allowsParallelToolCalls)
        write(request.output)
        write(request.sampling)
        write(request.reasoning)
        write(request.hints)
        if request.choiceCount > 1 { json.field("n", request.choiceCount) }
        if request.isStreaming {
            json.field("stream", true)
            if quirks.takesStreamOptions { json.object("stream_options") { $0.field("include_usage", true) } }
        }
        json.closeObject()
    }

    private mutating func omit(_ field: String) {
        if !omitted.contains(field) { omitted.append(field) }
    }

    // MARK: Options

    private mutating func write(_ sampling: ChatSampling) {
        switch quirks.limitField {
        case .maxCompletionTokens: json.field("max_completion_tokens", ifPresent: sampling.maximumTokens)
        case .maxTokens: json.field("max_tokens", ifPresent: sampling.maximumTokens)
        }
        json.field("temperature", ifPresent: sampling.temperature)
        json.field("top_p", ifPresent: sampling.topP)
        if let topK = sampling.topK {
            if quirks.knowsTopK { json.field("top_k", topK) } else { omit("top_k") }
        }
        json.field("frequency_penalty", ifPresent: sampling.frequencyPenalty)
        json.field("presence_penalty", ifPresent: sampling.presencePenalty)
        switch quirks.seedField {
        case .seed: json.field("seed", ifPresent: sampling.seed)
        case .randomSeed: json.field("random_seed", ifPresent: sampling.seed)
        }
        if !sampling.stop.isEmpty { json.array("stop", sampling.stop) }
    }

    private mutating func write(_ reasoning: ChatReasoningOptions?) {
        guard let reasoning else { return }
        switch quirks.thinkingSwitch {
        case .effort: writeEffort(reasoning)
        case .object: writeReasoningObject(reasoning)
        case .type:
            if let amount = reasoning.amount {
                json.object("thinking") { $0.field("type", amount == .off ? "disabled" : "enabled") }
            }
        case .flag:
            if let amount = reasoning.amount { json.field("enable_thinking", amount != .off) }
            if case .tokens(let count) = reasoning.amount { json.field("thinking_budget", count) }
        }
    }

    private mutating func writeReasoningObject(_ reasoning: ChatReasoningOptions) {
        json.object("reasoning") { json in
            switch reasoning.amount {
            case .off: json.field("enabled", false)
            case .adaptive, nil: json.field("enabled", true)
            case .effort(let effort): json.field("effort", effort.rawValue)
            case .tokens(let count): json.field("max_tokens", count)
            }
            if reasoning.summary == ChatReasoningOptions.Summary.none { json.field("exclude", true) }
        }
    }

    private mutating func writeEffort(_ reasoning: ChatReasoningOptions) {
        switch reasoning.amount {
        case .off: json.field("reasoning_effort", "none")
        case .effort(let effort): json.field("reasoning_effort", effort.rawValue)
        case .tokens(let count): json.field("reasoning_effort", Self.effort(for: count).rawValue)
        case .adaptive, nil: break
        }
        if reasoning.summary != nil { omit("reasoning.summary") }
    }

    /// The word for a number of tokens to think with.
    private static func effort(for tokens: Int) -> ChatReasoningOptions.Effort {
        switch tokens {
        case ...1024: .minimal
        case ...4096: .low
        case ...16384: .medium
        default: .high
        }
    }

    private mutating func write(_ hints: ChatHints) {
        json.field("user", ifPresent: hints.user)
        json.field("service_tier", ifPresent: hints.serviceTier)
        json.field("prompt_cache_key", ifPresent: hints.promptCacheKey)
        json.field("verbosity", ifPresent: hints.verbosity)
        if quirks.knowsStore {
            json.field("store", ifPresent: hints.store)
        } else if hints.store == true {
            omit("store")
        }
        if !hints.metadata.isEmpty {
            json.object("metadata") { json in
                for (name, value) in hints.metadata {
                    json.key(dynamic: name)
                    json.value(value)
                }
            }
        }
    }

    private mutating func write(_ output: ChatOutputFormat) {
        switch output {
        case .text: break
        case .json: json.object("response_format") { $0.field("type", "json_object") }
        case .schema(let schema):
            json.object("response_format") { json in
                json.field("type", "json_schema")
                json.object("json_schema") { json in
                    json.field("name", schema.name)
                    json.field("description", ifPresent: schema.description)
                    json.field("schema", schema.schema)
                    json.field("strict", ifPresent: schema.isStrict)
                }
            }
        }
    }

    // MARK: Tools

    private mutating func write(tools: [ChatTool]) throws(UpstreamRequest.Unsayable) {
        guard !tools.isEmpty else { return }
        json.key("tools")
        json.openArray()
        for tool in tools {
            switch tool.kind {
            case .function(let function):
                json.openObject()
                json.field("type", "function")
                json.object("function") { json in
                    json.field("name", function.name)
                    json.field("description", ifPresent: function.description)
                    json.field("parameters", ifPresent: function.parameters)
                    json.field("strict", ifPresent: function.isStrict)
                }
                writeCache(tool.cache)
                json.closeObject()
            case .custom(let custom):
                json.openObject()
                json.field("type", "custom")
                json.object("custom") { json in
                    json.field("name", custom.name)
                    json.field("description", ifPresent: custom.description)
                    json.field("format", ifPresent: custom.format)
                }
                writeCache(tool.cache)
                json.closeObject()
            case .provided(.openAIChat, _, let value): json.value(value)
            // What another provider would run itself nobody runs here: the model does without.
            case .provided(_, let type, _): omit("tools.\(type)")
            }
        }
        json.closeArray()
    }

    private mutating func write(_ choice: ChatToolChoice?, _ tools: [ChatTool]) {
        guard let choice else { return }
        switch choice {
        case .auto: json.field("tool_choice", "auto")
        case .none: json.field("tool_choice", "none")
        case .required: json.field("tool_choice", "required")
        case .tool(let name):
            let isCustom = tools.contains { if case .custom = $0.kind { $0.name == name } else { false } }
            json.object("tool_choice") { json in
                json.field("type", isCustom ? "custom" : "function")
                json.object(isCustom ? "custom" : "function") { $0.field("name", name) }
            }
        }
    }

    private mutating func writeCache(_ marker: ChatCacheMarker?) {
        guard let marker else { return }
        guard quirks.knowsCacheMarkers else { return omit("cache_control") }
        json.object("cache_control") { json in
            json.field("type", "ephemeral")
            json.field("ttl", ifPresent: marker.lifetime)
        }
    }

    // MARK: Messages

    private mutating func write(_ message: ChatMessage, _ field: String) throws(UpstreamRequest.Unsayable) {
        // One message may hold the results of several tools; here each is a message.
        if message.role == .tool {
            for part in message.parts {
                guard case .toolResult(let result) = part.content else { continue }
                try write(result, field)
            }
            return
        }
        json.openObject()
        switch message.role {
        case .developer where !quirks.knowsDeveloperRole: json.field("role", "system")
        default: json.field("role", message.role.rawValue)
        }
        if let name = message.name { json.field("name", name) }
        if message.role == .assistant {
            try write(assistant: message.parts, field)
        } else {
            try write(content: message.parts, field)
        }
        json.closeObject()
    }

    private mutating func write(_ result: ChatToolResult, _ field: String) throws(UpstreamRequest.Unsayable) {
        json.openObject()
        json.field("role", "tool")
        json.field("tool_call_id", result.callID)
        try write(content: result.parts, field)
        json.closeObject()
    }

    private mutating func write(assistant parts: [ChatPart], _ field: String) throws(UpstreamRequest
        .Unsayable)
    {
        let sorted = MessageParts(parts)
        let said = parts.filter { if case .text = $0.content { true } else { false } }
        if said.isEmpty { json.null("content") } else { try write(content: said, field) }
        if let refusal = sorted.refusal { json.field("refusal", refusal) }
        switch quirks.thoughtsBack {
        case .reasoningContent: sorted.writeThoughts(as: .text, &json)
        case .reasoningDetails: sorted.writeThoughts(as: .details, &json)
        // Thoughts are not spoken: a provider that does not take them back does without.
        case .none: break
        }
        sorted.writeCalls(&json)
    }

    private mutating func write(content parts: [ChatPart], _ field: String) throws(UpstreamRequest.Unsayable)
    {
        json.key("content")
        if parts.count <= 1, parts.allSatisfy({ $0.cache == nil }) {
            // One text is a text, as all relatives understand it.
            switch parts.first?.content {
            case nil: return json.value("")
            case .text(let text): return json.value(text.text)
            default: break
            }
        }
        json.openArray()
        for (index, part) in parts.enumerated() { try write(part, "\(field).content[\(index)]") }
        json.closeArray()
    }

    private mutating func write(_ part: ChatPart, _ field: String) throws(UpstreamRequest.Unsayable) {
        json.openObject()
        switch part.content {
        case .text(let text):
            json.field("type", "text")
            json.field("text", text.text)
        case .refusal(let text):
            json.field("type", "refusal")
            json.field("refusal", text)
        case .media(let media): try write(media, field)
        case .opaque(.openAIChat, _, let value):
            for member in value.members {
                json.key(dynamic: member.key.string)
                json.value(member.value)
            }
            // The marker is among the members.
            return json.closeObject()
        case .opaque(_, let type, _):
            throw UpstreamRequest.Unsayable(field, "\"\(type)\" cannot be sent to this model")
        case .reasoning, .toolCall, .toolResult:
            throw UpstreamRequest.Unsayable(field, "does not belong into a message of this role")
        }
        writeCache(part.cache)
        json.closeObject()
    }

    private mutating func write(_ media: ChatMedia, _ field: String) throws(UpstreamRequest.Unsayable) {
        switch (media.kind, media.source) {
        case (.image, .url), (.image, .base64):
            json.field("type", "image_url")
            json.object("image_url") { json in
                json.field("url", media.url ?? "")
                json.field("detail", ifPresent: media.detail)
            }
        case (.audio, .base64(let data)):
            json.field("type", "input_audio")
            json.object("input_audio") { json in
                json.field("data", data)
                json.field("format", Self.audioFormat(media.mediaType))
            }
        case (.file, .file(let id)), (.image, .file(let id)):
            json.field("type", "file")
            json.object("file") { $0.field("file_id", id) }
        case (.file, .url), (.file, .base64):
            json.field("type", "file")
            json.object("file") { json in
                json.field("file_data", media.url ?? "")
                json.field("filename", ifPresent: media.name)
            }
        case (.file, .text(let text)):
            json.field("type", "text")
            json.field("text", text)
        default:
            throw UpstreamRequest.Unsayable(
                field, "\(media.kind.rawValue) of this kind cannot be sent to this model")
        }
    }

    private static func audioFormat(_ mediaType: String?) -> String {
        let name = mediaType?.split(separator: "/").last.map(String.init) ?? "wav"
        return name == "mpeg" ? "mp3" : name == "x-wav" ? "wav" : name
    }
}
