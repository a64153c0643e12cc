import Chat
import JSON

/// Writes a request of the Responses API.
struct OpenAIResponsesRequestWriter {
    var json = JSONWriter(capacity: 4096)
    /// What the format has no place for, once each.
    private(set) var omitted: [String] = []
    private let quirks: OpenAIResponsesQuirks

    init(_ quirks: OpenAIResponsesQuirks) { self.quirks = quirks }

    mutating func write(_ request: ChatRequest, for target: ChatTarget) throws(UpstreamRequest.Unsayable) {
        try request.requireOneAnswer()
        guard request.sampling.stop.isEmpty else {
            throw UpstreamRequest.Unsayable("stop", "stop sequences cannot be sent to this model")
        }
        json.openObject()
        json.field("model", target.model)
        let instructions = OpenAIResponsesRequestWriter.instructions(of: request)
        json.field("instructions", ifPresent: instructions)
        json.key("input")
        try write(messages: request.messages, from: instructions == nil ? 0 : 1)
        try write(tools: request.tools)
        json.field("parallel_tool_calls", ifPresent: request.allowsParallelToolCalls)
        if let choice = request.toolChoice {
            json.key("tool_choice")
            choice.writeOpenAIResponses(among: request.tools, &json)
        }
        write(outputOf: request)
        write(request.sampling, at: target)
        write(request.reasoning)
        write(request.hints)
        if request.isStreaming { json.field("stream", true) }
        json.closeObject()
    }

    /// What the conversation begins with, where it is what `instructions` can say.
    static func instructions(of request: ChatRequest) -> String? {
        guard let first = request.messages.first, first.role == .system, first.name == nil,
            first.parts.count == 1, first.parts[0].cache == nil, case .text(let text) = first.parts[0].content
        else { return nil }
        return text.text
    }

    mutating func omit(_ field: String) {
        if !omitted.contains(field) { omitted.append(field) }
    }

    private mutating func write(tools: [ChatTool]) throws(UpstreamRequest.Unsayable) {
        if tools.isEmpty { return }
        json.key("tools")
        json.openArray()
        for (index, tool) in tools.enumerated() {
            if tool.cache != nil { omit("cache_control") }
            if case .provided(let dialect, let type, _) = tool.kind, dialect != .openAIResponses {
                throw UpstreamRequest.Unsayable(
                    "tools[\(index)]", "\"\(type)\" is run by another provider than this model's")
            }
            tool.writeOpenAIResponses(&json)
        }
        json.closeArray()
    }

    private mutating func write(outputOf request: ChatRequest) {
        let verbosity = request.hints.verbosity
        if request.output == .text, verbosity == nil { return }
        json.object("text") { json in
            if request.output != .text {
                json.key("format")
                request.output.writeOpenAIResponses(&json)
            }
            json.field("verbosity", ifPresent: verbosity)
        }
    }

    private mutating func write(_ sampling: ChatSampling, at target: ChatTarget) {
        json.field(
            "max_output_tokens",
            ifPresent: sampling.maximumTokens.map { min($0, target.maximumOutput ?? $0) })
        json.field("temperature", ifPresent: sampling.temperature)
        json.field("top_p", ifPresent: sampling.topP)
        if sampling.topK != nil { omit("top_k") }
        if sampling.frequencyPenalty != nil { omit("frequency_penalty") }
        if sampling.presencePenalty != nil { omit("presence_penalty") }
        if sampling.seed != nil { omit("seed") }
    }

    private mutating func write(_ reasoning: ChatReasoningOptions?) {
        guard let reasoning else { return }
        let effort = Self.effort(reasoning.amount)
        let summary = reasoning.summary == ChatReasoningOptions.Summary.none ? nil : reasoning.summary
        if effort != nil || summary != nil {
            json.object("reasoning") { json in
                json.field("effort", ifPresent: effort)
                json.field("summary", ifPresent: summary?.rawValue)
            }
        }
        if reasoning.wantsSeal {
            json.array("include") { $0.value("reasoning.encrypted_content") }
        }
    }

    /// An effort that gives about as much thought as was asked for.
    private static func effort(_ amount: ChatReasoningOptions.Amount?) -> String? {
        switch amount {
        case nil, .adaptive: nil
        case .off: "none"
        case .effort(let effort): effort.rawValue
        case .tokens(...2048): "low"
        case .tokens(...8192): "medium"
        case .tokens: "high"
        }
    }

    private mutating func write(_ hints: ChatHints) {
        json.field("safety_identifier", ifPresent: hints.user)
        json.field("service_tier", ifPresent: hints.serviceTier)
        json.field("prompt_cache_key", ifPresent: hints.promptCacheKey)
        if !hints.metadata.isEmpty {
            json.key("metadata")
            hints.writeMetadata(&json)
        }
        if hints.store == true, !quirks.keepsResponses { omit("store") }
        // What nobody asked to be kept is not to be kept, and most providers keep it unless told.
        json.field("store", quirks.keepsResponses && hints.store == true)
    }
}

extension ChatHints {
    func writeMetadata(_ json: inout JSONWriter) {
        json.object { json in
            for (name, value) in metadata {
                json.key(dynamic: name)
                json.value(value)
            }
        }
    }
}
