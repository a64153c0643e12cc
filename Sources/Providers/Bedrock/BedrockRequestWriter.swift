import Chat
import JSON

/// Writes a request for Bedrock's Converse API.
struct BedrockRequestWriter {
    private let request: ChatRequest
    private let target: ChatTarget
    private let model: BedrockModel
    private let turns: AnthropicTurns
    private let thinking: AnthropicThinking
    private var blocks: BedrockBlockWriter
    private var json = JSONWriter(capacity: 4096)
    private var omitted: [String] = []

    init(_ request: ChatRequest, for target: ChatTarget, model: BedrockModel) {
        self.request = request
        self.target = target
        self.model = model
        turns = AnthropicTurns(
            request.messages, origin: model.sealOrigin, opaque: .bedrock, keepsLaterInstructions: false)
        thinking = AnthropicThinking(request, for: target)
        blocks = BedrockBlockWriter(model)
    }

    mutating func converse() throws(UpstreamRequest.Unsayable) -> UpstreamRequest {
        try request.requireOneAnswer()
        json.openObject()
        try writePrompt()
        writeInferenceConfiguration()
        writeOutputConfiguration()
        writeModelFields()
        writeHints()
        json.closeObject()
        return upstreamRequest(model.path(request.isStreaming ? "converse-stream" : "converse"))
    }

    mutating func count() throws(UpstreamRequest.Unsayable) -> UpstreamRequest {
        json.openObject()
        json.key("input")
        json.openObject()
        json.key("converse")
        json.openObject()
        try writePrompt()
        writeModelFields()
        for _ in 0..<3 { json.closeObject() }
        return upstreamRequest(
            BedrockModel(model.withoutRegion, isAnthropic: nil).path("count-tokens"))
    }

    private func upstreamRequest(_ path: String) -> UpstreamRequest {
        UpstreamRequest(path: path, body: json.bytes, omitted: omitted + blocks.omitted.sorted())
    }

    private mutating func omit(_ field: String, _ isThere: Bool = true) {
        if isThere, !omitted.contains(field) { omitted.append(field) }
    }

    // MARK: What is read

    private mutating func writePrompt() throws(UpstreamRequest.Unsayable) {
        try writeSystem()
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
            for piece in turn.pieces { try blocks.write(piece, to: &json) }
            json.closeArray()
            json.closeObject()
        }
        json.closeArray()
        try writeTools()
    }

    private mutating func writeSystem() throws(UpstreamRequest.Unsayable) {
        let wantsObject = request.output == .json
        if turns.system.isEmpty && !wantsObject { return }
        json.key("system")
        json.openArray()
        for piece in turns.system {
            switch piece.part.content {
            case .text, .refusal, .opaque: try blocks.write(piece, to: &json)
            case .media, .reasoning, .toolCall, .toolResult:
                throw UpstreamRequest.Unsayable(piece.field, "only text can be an instruction to this model")
            }
        }
        if wantsObject { json.object { $0.field("text", AnthropicRequestWriter.jsonInstruction) } }
        json.closeArray()
    }

    private mutating func writeTools() throws(UpstreamRequest.Unsayable) {
        // There is no word for "none": then there are no tools, unless the conversation speaks of them.
        let isNone = request.toolChoice == ChatToolChoice.none
        if request.tools.isEmpty || isNone {
            guard hasCalls else { return }
            throw UpstreamRequest.Unsayable(
                isNone ? "tool_choice" : "tools",
                "cannot be without tools for this model once the conversation has called some")
        }
        json.key("toolConfig")
        json.openObject()
        json.key("tools")
        json.openArray()
        for (index, tool) in request.tools.enumerated() { try write(tool, "tools[\(index)]") }
        json.closeArray()
        omit("parallel_tool_calls", request.allowsParallelToolCalls == false)
        if let choice = request.toolChoice { write(choice) }
        json.closeObject()
    }

    private var hasCalls: Bool {
        turns.turns.contains { turn in
            turn.pieces.contains {
                switch $0.part.content {
                case .toolCall, .toolResult: true
                default: false
                }
            }
        }
    }

    private mutating func write(_ tool: ChatTool, _ field: String) throws(UpstreamRequest.Unsayable) {
        switch tool.kind {
        case .function(let function):
            write(function.name, function.description, isStrict: function.isStrict) {
                AnthropicToolWriter.writeObjectSchema(function.parameters, to: &$0)
            }
        case .custom(let custom):
            let description = AnthropicToolWriter.description(of: custom)
            write(custom.name, description, isStrict: nil) { AnthropicToolWriter.writeTextSchema(to: &$0) }
        case .provided(.bedrock, _, let value): json.value(value)
        case .provided(_, let type, _):
            throw UpstreamRequest.Unsayable(field, "\(type) is run by another provider than this model's")
        }
        blocks.writeCachePoint(tool.cache, to: &json)
    }

    private mutating func write(
        _ name: String, _ description: String?, isStrict: Bool?, schema: (inout JSONWriter) -> Void
    ) {
        json.object { json in
            json.object("toolSpec") { json in
                json.field("name", name)
                if let description, !description.isEmpty { json.field("description", description) }
                json.object("inputSchema") { json in
                    json.key("json")
                    schema(&json)
                }
                json.field("strict", ifPresent: isStrict)
            }
        }
    }

    private mutating func write(_ choice: ChatToolChoice) {
        json.object("toolChoice") { json in
            switch choice {
            case .auto, .none: json.object("auto") { _ in }
            case .required: json.object("any") { _ in }
            case .tool(let name): json.object("tool") { $0.field("name", name) }
            }
        }
    }

    // MARK: How it is answered

    /// Whether the model thinks, in a way that bounds how it chooses its tokens.
    private var isThinking: Bool { model.family == .anthropic && thinking.mode.isOn }

    private mutating func writeInferenceConfiguration() {
        let sampling = request.sampling
        let stop = sampling.stop.filter { $0.contains { !$0.isWhitespace } }
        omit("stop", stop.count < sampling.stop.count)
        var temperature = sampling.temperature
        if let asked = temperature {
            // Others go up to 2.
            omit("temperature", asked > 1 || isThinking && asked != 1)
            temperature = isThinking && asked != 1 ? nil : min(asked, 1)
        }
        var topP = sampling.topP
        if let asked = topP, isThinking, asked < 0.95 {
            omit("top_p")
            topP = nil
        }
        // Where nobody says how long an answer may be, the model does.
        let maximum = sampling.maximumTokens ?? target.maximumOutput
        json.object("inferenceConfig") { json in
            json.field("maxTokens", ifPresent: maximum)
            json.field("temperature", ifPresent: temperature)
            json.field("topP", ifPresent: topP)
            if !stop.isEmpty { json.array("stopSequences", stop) }
        }
        if !stop.isEmpty, model.family == .anthropic {
            // Else nobody says which of them it was.
            json.array("additionalModelResponseFieldPaths", ["/stop_sequence"])
        }
        omit("frequency_penalty", sampling.frequencyPenalty != nil)
        omit("presence_penalty", sampling.presencePenalty != nil)
        omit("seed", sampling.seed != nil)
    }

    private mutating func writeOutputConfiguration() {
        var effort: String?
        if case .effort(let level) = thinking.mode, isThinking { effort = AnthropicThinking.word(for: level) }
        var schema: ChatOutputFormat.Schema?
        if case .schema(let wanted) = request.output { schema = wanted }
        if effort == nil && schema == nil { return }
        json.object("outputConfig") { json in
            json.field("effort", ifPresent: effort)
            guard let schema else { return }
            json.object("textFormat") { json in
                json.field("type", "json_schema")
                json.object("structure") { json in
                    json.object("jsonSchema") { json in
                        json.field("name", schema.name)
                        json.field("description", ifPresent: schema.description)
                        json.field("schema", String(decoding: schema.schema.bytes, as: UTF8.self))
                    }
                }
            }
        }
    }

    /// What Converse has no word for and the model has.
    private mutating func writeModelFields() {
        var fields = BedrockModelFields(model, thinking: thinking, isThinking: isThinking)
        fields.take(request)
        for name in fields.omitted { omit(name) }
        if !fields.isEmpty { json.object("additionalModelRequestFields") { fields.write(to: &$0) } }
    }

    private mutating func writeHints() {
        let hints = request.hints
        switch hints.serviceTier {
        case nil, "auto": break
        case let tier? where ["priority", "default", "flex", "reserved"].contains(tier):
            json.object("serviceTier") { $0.field("type", tier) }
        default: omit("service_tier")
        }
        omit("user", hints.user != nil)
        omit("metadata", !hints.metadata.isEmpty)
        omit("prompt_cache_key", hints.promptCacheKey != nil)
        omit("verbosity", hints.verbosity != nil)
        omit("store", hints.store != nil)
    }
}
