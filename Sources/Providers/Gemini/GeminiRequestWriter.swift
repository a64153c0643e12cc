import Chat
import JSON

/// Writes a request of the Gemini API.
struct GeminiRequestWriter {
    var json = JSONWriter(capacity: 4096)
    /// What the format has no place for, once each.
    private(set) var omitted: [String] = []
    let model: GeminiModel

    init(_ model: GeminiModel) { self.model = model }

    mutating func write(_ request: ChatRequest, for target: ChatTarget) throws(UpstreamRequest.Unsayable) {
        try request.requireOneAnswer()
        json.openObject()
        try writePrompt(of: request)
        if let choice = request.toolChoice { write(choice) }
        json.key("generationConfig")
        json.openObject()
        write(request.sampling, at: target)
        write(request.output)
        write(request.reasoning)
        json.closeObject()
        json.closeObject()
        omitHints(of: request)
    }

    /// What is read before an answer: all that counts of a request.
    mutating func write(countedOf request: ChatRequest) throws(UpstreamRequest.Unsayable) {
        let isPlain = request.tools.isEmpty && !request.messages.contains { $0.isInstruction }
        json.openObject()
        if isPlain {
            try writeContents(of: request)
        } else {
            json.key("generateContentRequest")
            json.openObject()
            json.field("model", model.name.contains("/") ? model.name : "models/\(model.name)")
            try writePrompt(of: request)
            json.closeObject()
        }
        json.closeObject()
    }

    private mutating func writePrompt(of request: ChatRequest) throws(UpstreamRequest.Unsayable) {
        try writeInstructions(of: request)
        try writeContents(of: request)
        try write(tools: request.tools)
    }

    mutating func omit(_ field: String) {
        if !omitted.contains(field) { omitted.append(field) }
    }

    // MARK: Tools

    private mutating func write(tools: [ChatTool]) throws(UpstreamRequest.Unsayable) {
        if tools.isEmpty { return }
        json.key("tools")
        json.openArray()
        let declared = tools.filter { $0.name != nil }
        if !declared.isEmpty {
            json.object { json in
                json.array("functionDeclarations") { json in
                    for tool in declared { tool.writeGemini(&json) }
                }
            }
        }
        for (index, tool) in tools.enumerated() {
            if tool.cache != nil { omit("cache_control") }
            if case .function(let function) = tool.kind, function.isStrict == true { omit("strict") }
            guard case .provided(let dialect, let type, let value) = tool.kind else { continue }
            guard dialect == .gemini else {
                throw UpstreamRequest.Unsayable(
                    "tools[\(index)]", "\"\(type)\" is run by another provider than this model's")
            }
            json.value(value)
        }
        json.closeArray()
    }

    private mutating func write(_ choice: ChatToolChoice) {
        json.object("toolConfig") { json in
            json.object("functionCallingConfig") { json in
                switch choice {
                case .auto: json.field("mode", "AUTO")
                case .none: json.field("mode", "NONE")
                case .required: json.field("mode", "ANY")
                case .tool(let name):
                    json.field("mode", "ANY")
                    json.array("allowedFunctionNames", [name])
                }
            }
        }
    }

    // MARK: Answers

    private mutating func write(_ sampling: ChatSampling, at target: ChatTarget) {
        json.field(
            "maxOutputTokens",
            ifPresent: sampling.maximumTokens.map { min($0, target.maximumOutput ?? $0) })
        json.field("temperature", ifPresent: sampling.temperature)
        json.field("topP", ifPresent: sampling.topP)
        json.field("topK", ifPresent: sampling.topK)
        json.field("frequencyPenalty", ifPresent: sampling.frequencyPenalty)
        json.field("presencePenalty", ifPresent: sampling.presencePenalty)
        json.field("seed", ifPresent: sampling.seed)
        if !sampling.stop.isEmpty { json.array("stopSequences", sampling.stop) }
    }

    private mutating func write(_ output: ChatOutputFormat) {
        switch output {
        case .text: break
        case .json: json.field("responseMimeType", "application/json")
        case .schema(let schema):
            json.field("responseMimeType", "application/json")
            json.field("responseJsonSchema", schema.schema)
        }
    }

    private mutating func write(_ reasoning: ChatReasoningOptions?) {
        guard let reasoning else { return }
        let isShown = reasoning.summary.map { $0 != .none }
        if model.thinking == .none {
            if reasoning.amount != nil { omit("reasoning_effort") }
            return
        }
        let amount = GeminiThinking(reasoning.amount, model: model)
        if amount == nil, isShown == nil { return }
        json.object("thinkingConfig") { json in
            switch amount {
            case .budget(let tokens): json.field("thinkingBudget", tokens)
            case .level(let level): json.field("thinkingLevel", level)
            case nil: break
            }
            json.field("includeThoughts", ifPresent: isShown)
        }
    }

    private mutating func omitHints(of request: ChatRequest) {
        let hints = request.hints
        if hints.user != nil { omit("user") }
        if hints.serviceTier != nil { omit("service_tier") }
        if hints.promptCacheKey != nil { omit("prompt_cache_key") }
        if hints.verbosity != nil { omit("verbosity") }
        if !hints.metadata.isEmpty { omit("metadata") }
        if hints.store == true { omit("store") }
        if request.allowsParallelToolCalls == false { omit("parallel_tool_calls") }
    }
}
