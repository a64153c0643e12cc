import Chat
import JSON

/// Writes a request as Cohere has it.
struct CohereRequestWriter {
    private let request: ChatRequest
    private(set) var json = JSONWriter(capacity: 4096)
    private(set) var omitted: [String]

    /// `p` may not be more; 1, which many clients say, means the same.
    private static let largestP = 0.99

    init(_ request: ChatRequest) {
        self.request = request
        omitted = request.omittedInPlainFormats
    }

    mutating func write(model: String) throws(UpstreamRequest.Unsayable) {
        try request.requireOneAnswer()
        json.openObject()
        json.field("model", model)
        json.field("stream", request.isStreaming)
        json.key("messages")
        json.openArray()
        for (index, message) in request.messages.enumerated() {
            try CohereMessageWriter(message, "messages[\(index)]").write(to: &json)
        }
        json.closeArray()
        try writeTools()
        writeOutput()
        writeSampling()
        writeThinking()
        json.closeObject()
    }

    // MARK: Tools

    private mutating func writeTools() throws(UpstreamRequest.Unsayable) {
        var functions = try request.functions
        switch request.toolChoice {
        case nil, .auto: break
        case .some(.none): json.field("tool_choice", "NONE")
        case .required: json.field("tool_choice", "REQUIRED")
        case .tool(let name):
            // There is no word for one tool; if it is the only one, it is the one.
            functions = functions.filter { $0.name == name }
            if functions.isEmpty { throw .init("tool_choice", "names a tool that is not among the tools") }
            json.field("tool_choice", "REQUIRED")
        }
        guard !functions.isEmpty else { return }
        writeStrictness(functions)
        json.array("tools") { json in
            for function in functions { function.writePlain(to: &json) }
        }
    }

    /// Strictness is of all tools or of none.
    private mutating func writeStrictness(_ functions: [ChatTool.Function]) {
        let strictCount = functions.count { $0.isStrict == true }
        if strictCount == functions.count {
            json.field("strict_tools", true)
        } else if strictCount > 0 {
            omitted.append("strict")
        }
    }

    // MARK: The answer

    private mutating func writeOutput() {
        switch request.output {
        case .text: break
        case .json: json.object("response_format") { $0.field("type", "json_object") }
        case .schema(let schema):
            json.object("response_format") { json in
                json.field("type", "json_object")
                json.field("json_schema", schema.schema)
            }
        }
    }

    private mutating func writeSampling() {
        let sampling = request.sampling
        json.field("max_tokens", ifPresent: sampling.maximumTokens)
        json.field("temperature", ifPresent: sampling.temperature)
        json.field("p", ifPresent: sampling.topP.map { min($0, Self.largestP) })
        json.field("k", ifPresent: sampling.topK)
        json.field("frequency_penalty", ifPresent: sampling.frequencyPenalty)
        json.field("presence_penalty", ifPresent: sampling.presencePenalty)
        json.field("seed", ifPresent: sampling.seed)
        if !sampling.stop.isEmpty { json.array("stop_sequences", sampling.stop) }
    }

    private mutating func writeThinking() {
        guard let amount = request.reasoning?.amount else { return }
        switch amount {
        case .off, .tokens(...0): json.object("thinking") { $0.field("type", "disabled") }
        case .tokens(let budget): writeThinking(budget: budget)
        case .effort(let effort): writeThinking(budget: Self.budget(of: effort))
        case .adaptive: writeThinking(budget: nil)
        }
    }

    private mutating func writeThinking(budget: Int?) {
        json.object("thinking") { json in
            json.field("type", "enabled")
            json.field("token_budget", ifPresent: budget)
        }
    }

    /// nil leaves it to the model, which then thinks as long as it likes.
    private static func budget(of effort: ChatReasoningOptions.Effort) -> Int? {
        switch effort {
        case .minimal: 512
        case .low: 2048
        case .medium: 8192
        case .high, .xhigh, .max: nil
        }
    }
}
