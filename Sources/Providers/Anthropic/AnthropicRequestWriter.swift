import Chat
import JSON

/// Writes a request for Anthropic's Messages API.
struct AnthropicRequestWriter {
    private let request: ChatRequest
    private let target: ChatTarget
    private let turns: AnthropicTurns
    private let thinking: AnthropicThinking
    private var blocks = AnthropicBlockWriter()
    private var json = JSONWriter(capacity: 4096)
    private var omitted: [String] = []

    static let version = (name: "anthropic-version", value: "2023-06-01")
    /// Files kept by the provider must be asked for.
    private static let filesFeature = (name: "anthropic-beta", value: "files-api-2025-04-14")
    /// Anthropic has no word for "any JSON object".
    static let jsonInstruction = "Answer with one JSON object and nothing else."

    init(_ request: ChatRequest, for target: ChatTarget) {
        self.request = request
        self.target = target
        turns = AnthropicTurns(request.messages, origin: .anthropic, opaque: .anthropic)
        thinking = AnthropicThinking(request, for: target)
    }

    mutating func messages() throws(UpstreamRequest.Unsayable) -> UpstreamRequest {
        try request.requireOneAnswer()
        json.openObject()
        try writePrompt()
        json.field("max_tokens", thinking.maximumTokens)
        writeSampling()
        writeHints()
        if request.isStreaming { json.field("stream", true) }
        json.closeObject()
        return upstreamRequest(path: "/v1/messages")
    }

    /// How many tokens the request has, answered without an answer of the model.
    mutating func count() throws(UpstreamRequest.Unsayable) -> UpstreamRequest {
        json.openObject()
        try writePrompt()
        json.closeObject()
        return upstreamRequest(path: "/v1/messages/count_tokens")
    }

    private func upstreamRequest(path: String) -> UpstreamRequest {
        let fields = blocks.usesFiles ? [Self.version, Self.filesFeature] : [Self.version]
        return UpstreamRequest(path: path, fields: fields, body: json.bytes, omitted: omitted)
    }

    private mutating func omit(_ field: String, _ isThere: Bool = true) {
        if isThere, !omitted.contains(field) { omitted.append(field) }
    }

    // MARK: What is read

    private mutating func writePrompt() throws(UpstreamRequest.Unsayable) {
        json.field("model", target.model)
        try writeSystem()
        try writeTurns()
        try writeTools()
        writeThinking()
    }

    private mutating func writeSystem() throws(UpstreamRequest.Unsayable) {
        let wantsObject = request.output == .json
        if turns.system.isEmpty && !wantsObject { return }
        json.key("system")
        json.openArray()
        for piece in turns.system { try writeInstruction(piece) }
        if wantsObject {
            json.object { json in
                json.field("type", "text")
                json.field("text", Self.jsonInstruction)
            }
        }
        json.closeArray()
    }

    private mutating func writeInstruction(_ piece: AnthropicTurns.Piece) throws(UpstreamRequest.Unsayable) {
        switch piece.part.content {
        case .text, .refusal, .opaque: try blocks.write(piece, to: &json)
        case .media, .reasoning, .toolCall, .toolResult:
            throw UpstreamRequest.Unsayable(piece.field, "only text can be an instruction to this model")
        }
    }

    private mutating func writeTurns() throws(UpstreamRequest.Unsayable) {
        if turns.turns.isEmpty {
            throw UpstreamRequest.Unsayable(
                "messages", "must have a message of the role user that is not empty")
        }
        omit("messages.name", request.messages.contains { $0.name != nil })
        json.key("messages")
        json.openArray()
        for turn in turns.turns {
            json.openObject()
            json.field("role", turn.role.rawValue)
            json.key("content")
            json.openArray()
            for piece in turn.pieces {
                if turn.role == .system {
                    try writeInstruction(piece)
                } else {
                    try blocks.write(piece, to: &json)
                }
            }
            json.closeArray()
            json.closeObject()
        }
        json.closeArray()
    }

    private mutating func writeTools() throws(UpstreamRequest.Unsayable) {
        if request.tools.isEmpty { return }
        json.key("tools")
        json.openArray()
        for (index, tool) in request.tools.enumerated() {
            try AnthropicToolWriter.write(tool, "tools[\(index)]", to: &json)
        }
        json.closeArray()
        AnthropicToolWriter.write(
            request.toolChoice, allowsParallelCalls: request.allowsParallelToolCalls, to: &json)
    }

    private mutating func writeThinking() {
        omit("reasoning", thinking.isOmitted)
        let display = request.reasoning?.summary.map { $0 == .none ? "omitted" : "summarized" }
        switch thinking.mode {
        case .unsaid: break
        case .off: json.object("thinking") { $0.field("type", "disabled") }
        case .adaptive, .effort:
            json.object("thinking") { json in
                json.field("type", "adaptive")
                json.field("display", ifPresent: display)
            }
        case .budget(let count):
            json.object("thinking") { json in
                json.field("type", "enabled")
                json.field("budget_tokens", count)
                json.field("display", ifPresent: display)
            }
        }
        writeOutputConfiguration()
    }

    private mutating func writeOutputConfiguration() {
        var effort: String?
        if case .effort(let level) = thinking.mode { effort = AnthropicThinking.word(for: level) }
        var schema: JSONValue?
        if case .schema(let output) = request.output { schema = output.schema }
        if effort == nil && schema == nil { return }
        json.object("output_config") { json in
            json.field("effort", ifPresent: effort)
            guard let schema else { return }
            json.object("format") { json in
                json.field("type", "json_schema")
                json.field("schema", schema)
            }
        }
    }

    // MARK: How it is answered

    private mutating func writeSampling() {
        let sampling = request.sampling
        // A model that thinks chooses its tokens itself.
        let isFree = !thinking.mode.isOn
        if let temperature = sampling.temperature {
            // Others go up to 2.
            omit("temperature", temperature > 1 || !(isFree || temperature == 1))
            if isFree || temperature == 1 { json.field("temperature", min(temperature, 1)) }
        }
        if let topP = sampling.topP {
            if isFree || topP >= 0.95 { json.field("top_p", topP) } else { omit("top_p") }
        }
        if let topK = sampling.topK {
            if isFree { json.field("top_k", topK) } else { omit("top_k") }
        }
        let stop = sampling.stop.filter { $0.contains { !$0.isWhitespace } }
        omit("stop", stop.count < sampling.stop.count)
        if !stop.isEmpty { json.array("stop_sequences", stop) }
        omit("frequency_penalty", sampling.frequencyPenalty != nil)
        omit("presence_penalty", sampling.presencePenalty != nil)
        omit("seed", sampling.seed != nil)
    }

    private mutating func writeHints() {
        let hints = request.hints
        if let user = hints.user { json.object("metadata") { $0.field("user_id", user) } }
        switch hints.serviceTier {
        case nil: break
        case "auto": json.field("service_tier", "auto")
        case "standard_only", "default": json.field("service_tier", "standard_only")
        default: omit("service_tier")
        }
        omit("metadata", !hints.metadata.isEmpty)
        omit("prompt_cache_key", hints.promptCacheKey != nil)
        omit("verbosity", hints.verbosity != nil)
        omit("store", hints.store != nil)
    }
}
