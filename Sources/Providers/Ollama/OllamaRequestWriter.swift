import Chat
import JSON

/// Writes a request as Ollama has it.
struct OllamaRequestWriter {
    private let request: ChatRequest
    private(set) var json = JSONWriter(capacity: 4096)
    private(set) var omitted: [String]

    init(_ request: ChatRequest) {
        self.request = request
        omitted = request.omittedInPlainFormats
    }

    mutating func write(model: String) throws(UpstreamRequest.Unsayable) {
        try request.requireOneAnswer()
        json.openObject()
        json.field("model", model)
        // It streams unless it is told not to.
        json.field("stream", request.isStreaming)
        json.key("messages")
        json.openArray()
        var messages = OllamaMessageWriter()
        for (index, message) in request.messages.enumerated() {
            try messages.write(message, "messages[\(index)]", to: &json)
        }
        json.closeArray()
        try writeTools()
        switch request.output {
        case .text: break
        case .json: json.field("format", "json")
        case .schema(let schema): json.field("format", schema.schema)
        }
        writeThinking()
        writeOptions()
        json.closeObject()
    }

    private mutating func writeTools() throws(UpstreamRequest.Unsayable) {
        switch request.toolChoice {
        case nil, .auto: break
        // Without tools none can be called.
        case .some(.none): return
        case .required, .tool:
            throw .init(
                "tool_choice", "must be \"auto\" or \"none\": this model cannot be made to call a tool")
        }
        let functions = try request.functions
        if functions.contains(where: { $0.isStrict == true }) { omitted.append("strict") }
        guard !functions.isEmpty else { return }
        json.array("tools") { json in
            for function in functions { function.writePlain(to: &json) }
        }
    }

    private mutating func writeThinking() {
        switch request.reasoning?.amount {
        case nil: break
        case .off, .tokens(...0): json.field("think", false)
        case .adaptive, .tokens: json.field("think", true)
        case .effort(let effort):
            switch effort {
            case .minimal, .low: json.field("think", "low")
            case .medium: json.field("think", "medium")
            case .high, .xhigh, .max: json.field("think", "high")
            }
        }
    }

    private mutating func writeOptions() {
        let sampling = request.sampling
        if sampling == ChatSampling() { return }
        json.object("options") { json in
            json.field("num_predict", ifPresent: sampling.maximumTokens)
            json.field("temperature", ifPresent: sampling.temperature)
            json.field("top_p", ifPresent: sampling.topP)
            json.field("top_k", ifPresent: sampling.topK)
            json.field("seed", ifPresent: sampling.seed)
            if !sampling.stop.isEmpty { json.array("stop", sampling.stop) }
            json.field("frequency_penalty", ifPresent: sampling.frequencyPenalty)
            json.field("presence_penalty", ifPresent: sampling.presencePenalty)
        }
    }
}
