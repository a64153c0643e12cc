import Base
import Chat
import JSON

/// Reads a client's request to the Messages API. What only this dialect knows is left in the client's bytes.
struct AnthropicRequestReader {
    private var reader = RequestReader()
    private let isObject: Bool
    private let root: JSONIndex
    /// To count tokens takes no limit of them.
    private let isCount: Bool

    init(_ document: JSONDocument, isCount: Bool) {
        isObject = document.root.kind == .object
        root = JSONIndex(document.root)
        self.isCount = isCount
    }

    mutating func request() throws(Problem) -> ChatRequest {
        guard isObject else {
            throw .bodyIsNoObject
        }
        var request = ChatRequest(model: reader.requiredText(root["model"], "model") ?? "", messages: [])
        if let system = instructions() { request.messages.append(system) }
        var messages = AnthropicMessageReader()
        request.messages += messages.read(root["messages"], &reader)
        markCache(of: &request.messages)
        request.tools = tools()
        readToolChoice(into: &request)
        request.output = output()
        request.sampling = sampling()
        request.reasoning = reasoning()
        request.hints = hints()
        request.isStreaming = reader.flag(root["stream"], "stream") ?? false
        // Anthropic's streams always tell.
        request.includesUsage = request.isStreaming
        if let problem = reader.problem { throw problem }
        return request
    }

    /// nil where the request is to be read: in words alone nothing is wrong with it that concerns its bounds.
    mutating func boundsOfText() -> AnswerBounds? {
        guard root["system"]?.isTextAlone ?? true,
            root["messages"]?.elements.allSatisfy({ $0["content"]?.isTextAlone ?? true }) ?? true
        else { return nil }
        let bounds = AnswerBounds(maximumTokens: maximumTokens())
        return reader.faults.isEmpty ? bounds : nil
    }

    private mutating func instructions() -> ChatMessage? {
        guard let system = root["system"].present else { return nil }
        var messages = AnthropicMessageReader()
        let parts = messages.content(system, "system", of: .system, &reader)
        return parts.isEmpty ? nil : ChatMessage(.system, parts)
    }

    /// A mark on the whole request is one on its last part that can carry it.
    private mutating func markCache(of messages: inout [ChatMessage]) {
        guard let marker = AnthropicMessageReader.cache(root["cache_control"], "cache_control", &reader)
        else {
            return
        }
        for message in messages.indices.reversed() {
            for part in messages[message].parts.indices.reversed() {
                switch messages[message].parts[part].content {
                case .reasoning, .opaque, .refusal: continue
                case .text, .media, .toolCall, .toolResult: break
                }
                if messages[message].parts[part].cache == nil { messages[message].parts[part].cache = marker }
                return
            }
        }
    }

    // MARK: Tools

    private mutating func tools() -> [ChatTool] {
        guard let tools = reader.array(root["tools"], "tools") else { return [] }
        return tools.elements.enumerated().compactMap { index, tool in
            guard let tool = reader.object(tool, "tools[\(index)]") else { return nil }
            guard tool["type"].present != nil else { return function(tool, "tools[\(index)]") }
            guard let type = reader.text(tool["type"], "tools[\(index)].type") else { return nil }
            return type == "custom"
                ? function(tool, "tools[\(index)]") : ChatTool(.provided(.anthropic, type: type, tool))
        }
    }

    private mutating func function(_ tool: JSONValue, _ field: String) -> ChatTool? {
        let name = reader.requiredText(tool["name"], "\(field).name")
        let schema = reader.object(tool["input_schema"], "\(field).input_schema")
        if tool["input_schema"].present == nil { reader.fault("\(field).input_schema", "is required") }
        let description = reader.text(tool["description"], "\(field).description")
        let isStrict = reader.flag(tool["strict"], "\(field).strict")
        let cache = AnthropicMessageReader.cache(tool["cache_control"], "\(field).cache_control", &reader)
        guard let name, let schema else { return nil }
        let function = ChatTool.Function(
            name: name, description: description, parameters: schema, isStrict: isStrict)
        return ChatTool(.function(function), cache: cache)
    }

    private enum Choice: String, CaseIterable { case auto, any, tool, none }

    private mutating func readToolChoice(into request: inout ChatRequest) {
        guard let choice = reader.object(root["tool_choice"], "tool_choice") else { return }
        if choice["type"].present == nil { return reader.fault("tool_choice.type", "is required") }
        let kind: Choice? = reader.choice(choice["type"], "tool_choice.type")
        switch kind {
        case .auto: request.toolChoice = .auto
        case .any: request.toolChoice = .required
        case .some(.none): request.toolChoice = ChatToolChoice.none
        case .tool:
            let name = reader.requiredText(choice["name"], "tool_choice.name")
            request.toolChoice = name.map { .tool(name: $0) }
        case nil: break
        }
        let field = "tool_choice.disable_parallel_tool_use"
        if let isDisabled = reader.flag(choice["disable_parallel_tool_use"], field) {
            request.allowsParallelToolCalls = !isDisabled
        }
    }

    // MARK: The answer

    private mutating func output() -> ChatOutputFormat {
        let configuration = reader.object(root["output_config"], "output_config")
        let (value, field) =
            configuration?["format"].present.map { ($0, "output_config.format") }
            ?? (root["output_format"], "output_format")
        guard let format = reader.object(value, field) else { return .text }
        // Formats that come to be later are for those who know them.
        guard reader.requiredText(format["type"], "\(field).type") == "json_schema" else { return .text }
        guard let schema = reader.schema(format["schema"], "\(field).schema") else {
            if format["schema"].present == nil { reader.fault("\(field).schema", "is required") }
            return .text
        }
        // Anthropic's answers always keep to the schema, and it has no name.
        return .schema(ChatOutputFormat.Schema(name: "answer", schema: schema, isStrict: true))
    }

    private mutating func maximumTokens() -> Int? {
        // With 0 the prompt is only read, and kept.
        reader.count(root["max_tokens"], from: 0, "max_tokens")
    }

    private mutating func sampling() -> ChatSampling {
        var sampling = ChatSampling()
        if !isCount {
            if root["max_tokens"].present == nil { reader.fault("max_tokens", "is required") }
            sampling.maximumTokens = maximumTokens()
        }
        sampling.temperature = reader.number(root["temperature"], "temperature")
        sampling.topP = reader.number(root["top_p"], "top_p")
        sampling.topK = reader.count(root["top_k"], from: 0, "top_k")
        if reader.array(root["stop_sequences"], "stop_sequences") != nil {
            sampling.stop = reader.texts(root["stop_sequences"], "stop_sequences") ?? []
        }
        return sampling
    }

    private mutating func reasoning() -> ChatReasoningOptions? {
        let effort = effort().map(ChatReasoningOptions.Amount.effort)
        guard let thinking = reader.object(root["thinking"], "thinking") else {
            return effort.map { ChatReasoningOptions($0) }
        }
        var options = ChatReasoningOptions(effort)
        switch reader.requiredText(thinking["type"], "thinking.type") {
        case "enabled":
            let field = "thinking.budget_tokens"
            if thinking["budget_tokens"].present == nil { reader.fault(field, "is required") }
            let budget = reader.count(thinking["budget_tokens"], from: 1, field)
            options.amount = budget.map { .tokens($0) } ?? effort
        case "disabled": options.amount = .off
        // Ways to think that come to be later leave it to the model, too.
        default: options.amount = effort ?? .adaptive
        }
        switch reader.text(thinking["display"], "thinking.display") {
        case "omitted": options.summary = ChatReasoningOptions.Summary.none
        case "summarized": options.summary = .auto
        default: break
        }
        // Signatures come with every thought.
        options.wantsSeal = options.amount != .off
        return options
    }

    private mutating func effort() -> ChatReasoningOptions.Effort? {
        let configuration = reader.object(root["output_config"], "output_config")
        return reader.text(configuration?["effort"], "output_config.effort")
            .flatMap(ChatReasoningOptions.Effort.init)
    }

    private mutating func hints() -> ChatHints {
        var hints = ChatHints()
        hints.serviceTier = reader.text(root["service_tier"], "service_tier")
        let metadata = reader.object(root["metadata"], "metadata")
        hints.user = reader.text(metadata?["user_id"], "metadata.user_id")
        return hints
    }
}
