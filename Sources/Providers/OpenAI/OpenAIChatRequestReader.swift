import Base
import Chat
import JSON

/// Reads a request of OpenAI's chat dialect.
struct OpenAIChatRequestReader {
    var fields = RequestReader()

    mutating func read(_ root: JSONValue) -> ChatRequest {
        let root = JSONIndex(root)
        let model = fields.requiredText(root["model"], "model") ?? ""
        var request = ChatRequest(model: model, messages: [])
        if let list = fields.requiredArray(root["messages"], "messages") {
            for (index, message) in list.elements.enumerated() {
                if let message = read(message: message, "messages[\(index)]") {
                    request.messages.append(message)
                }
            }
        }
        if let list = fields.array(root["tools"], "tools") {
            for (index, tool) in list.elements.enumerated() {
                if let tool = read(tool: tool, "tools[\(index)]") { request.tools.append(tool) }
            }
        }
        for (name, value) in [
            ("functions", root["functions"]), ("function_call", root["function_call"]),
        ] where value.present != nil {
            fields.fault(name, "is of an older dialect; use \"tools\" and \"tool_choice\"")
        }
        request.toolChoice = read(toolChoice: root["tool_choice"])
        request.allowsParallelToolCalls = fields.flag(root["parallel_tool_calls"], "parallel_tool_calls")
        request.output = read(output: root["response_format"])
        let bounds = bounds(root)
        request.choiceCount = bounds.choiceCount
        request.sampling = read(samplingOf: root)
        request.sampling.maximumTokens = bounds.maximumTokens
        request.reasoning = read(reasoningOf: root)
        request.hints = read(hintsOf: root)
        request.isStreaming = fields.flag(root["stream"], "stream") ?? false
        let options = fields.object(root["stream_options"], "stream_options")
        request.includesUsage =
            fields.flag(options?["include_usage"], "stream_options.include_usage") ?? false
        return request
    }

    // MARK: Options

    mutating func bounds(_ root: JSONIndex) -> AnswerBounds {
        let newLimit = fields.count(root["max_completion_tokens"], from: 1, "max_completion_tokens")
        let oldLimit = fields.count(root["max_tokens"], from: 1, "max_tokens")
        return AnswerBounds(
            maximumTokens: newLimit ?? oldLimit, choiceCount: fields.count(root["n"], from: 1, "n") ?? 1)
    }

    private mutating func read(samplingOf root: JSONIndex) -> ChatSampling {
        var sampling = ChatSampling()
        sampling.temperature = fields.number(root["temperature"], "temperature")
        sampling.topP = fields.number(root["top_p"], "top_p")
        sampling.topK = fields.count(root["top_k"], from: 0, "top_k")
        sampling.frequencyPenalty = fields.number(root["frequency_penalty"], "frequency_penalty")
        sampling.presencePenalty = fields.number(root["presence_penalty"], "presence_penalty")
        sampling.seed = fields.integer(root["seed"], "seed")
        sampling.stop = fields.texts(root["stop"], "stop") ?? []
        return sampling
    }

    private mutating func read(reasoningOf root: JSONIndex) -> ChatReasoningOptions? {
        // OpenRouter's object says more than OpenAI's word.
        if let object = fields.object(root["reasoning"], "reasoning") {
            var options = ChatReasoningOptions()
            if let tokens = fields.count(object["max_tokens"], from: 1, "reasoning.max_tokens") {
                options.amount = .tokens(tokens)
            } else if fields.flag(object["enabled"], "reasoning.enabled") == false {
                options.amount = .off
            } else {
                options.amount = amount(object["effort"], "reasoning.effort")
            }
            if fields.flag(object["exclude"], "reasoning.exclude") == true {
                options.summary = ChatReasoningOptions.Summary.none
            }
            return options
        }
        return amount(root["reasoning_effort"], "reasoning_effort").map { ChatReasoningOptions($0) }
    }

    private mutating func amount(
        _ value: JSONValue?, _ field: @autoclosure () -> String
    ) -> ChatReasoningOptions.Amount? {
        if value?.stringEquals("none") ?? false { return .off }
        let effort: ChatReasoningOptions.Effort? = fields.choice(value, field())
        return effort.map(ChatReasoningOptions.Amount.effort)
    }

    private mutating func read(hintsOf root: JSONIndex) -> ChatHints {
        var hints = ChatHints()
        hints.user =
            fields.text(root["user"], "user") ?? fields.text(root["safety_identifier"], "safety_identifier")
        hints.serviceTier = fields.text(root["service_tier"], "service_tier")
        hints.promptCacheKey = fields.text(root["prompt_cache_key"], "prompt_cache_key")
        hints.verbosity = fields.text(root["verbosity"], "verbosity")
        hints.store = fields.flag(root["store"], "store")
        if let metadata = fields.object(root["metadata"], "metadata") {
            for member in metadata.members {
                let name = member.key.string
                if let text = fields.text(member.value, "metadata.\(name)") {
                    hints.metadata.append((name, text))
                }
            }
        }
        return hints
    }

    private mutating func read(output value: JSONValue?) -> ChatOutputFormat {
        guard let format = fields.object(value, "response_format") else { return .text }
        switch fields.requiredText(format["type"], "response_format.type") {
        case "text", nil: return .text
        case "json_object": return .json
        case "json_schema":
            guard let holder = fields.object(format["json_schema"], "response_format.json_schema") else {
                if format["json_schema"].present == nil {
                    fields.fault("response_format.json_schema", "is required")
                }
                return .text
            }
            let name = fields.requiredText(holder["name"], "response_format.json_schema.name")
            guard let schema = fields.schema(holder["schema"], "response_format.json_schema.schema") else {
                if holder["schema"].present == nil {
                    fields.fault("response_format.json_schema.schema", "is required")
                }
                return .text
            }
            return .schema(
                .init(
                    name: name ?? "",
                    description: fields.text(
                        holder["description"], "response_format.json_schema.description"),
                    schema: schema,
                    isStrict: fields.flag(holder["strict"], "response_format.json_schema.strict")))
        case .some:
            fields.fault("response_format.type", "must be \"text\", \"json_object\" or \"json_schema\"")
            return .text
        }
    }

    // MARK: Tools

    private mutating func read(tool: JSONValue, _ field: String) -> ChatTool? {
        guard let tool = requiredObject(tool, field) else { return nil }
        let cache = Self.cache(tool["cache_control"])
        // Mistral's clients leave the usual type out.
        let isPlain = tool["type"].present == nil && tool["function"].present != nil
        switch isPlain ? "function" : fields.requiredText(tool["type"], "\(field).type") {
        case "function":
            guard let function = requiredObject(tool["function"], "\(field).function"),
                let name = fields.requiredText(function["name"], "\(field).function.name")
            else { return nil }
            return ChatTool(
                .function(
                    .init(
                        name: name,
                        description: fields.text(function["description"], "\(field).function.description"),
                        parameters: fields.object(function["parameters"], "\(field).function.parameters"),
                        isStrict: fields.flag(function["strict"], "\(field).function.strict"))),
                cache: cache)
        case "custom":
            guard let custom = requiredObject(tool["custom"], "\(field).custom"),
                let name = fields.requiredText(custom["name"], "\(field).custom.name")
            else { return nil }
            return ChatTool(
                .custom(
                    .init(
                        name: name,
                        description: fields.text(custom["description"], "\(field).custom.description"),
                        format: custom["format"].present)),
                cache: cache)
        case .some(let type): return ChatTool(.provided(.openAIChat, type: type, tool), cache: cache)
        case nil: return nil
        }
    }

    private mutating func read(toolChoice value: JSONValue?) -> ChatToolChoice? {
        guard let value = value.present else { return nil }
        switch value.text {
        case .some("auto"): return .auto
        case .some("none"): return ChatToolChoice.none
        case .some("required"), .some("any"): return .required
        case .some: break
        case nil:
            let name = value["function"]?["name"] ?? value["custom"]?["name"]
            if let name = name?.string { return .tool(name: name) }
        }
        fields.fault("tool_choice", "must be \"auto\", \"none\", \"required\", or name a tool")
        return nil
    }

    mutating func requiredObject(_ value: JSONValue?, _ field: @autoclosure () -> String) -> JSONValue? {
        if value.present == nil {
            fields.fault(field(), "is required")
            return nil
        }
        return fields.object(value, field())
    }

    static func cache(_ value: JSONValue?) -> ChatCacheMarker? {
        guard let value = value.present, value.kind == .object else { return nil }
        return ChatCacheMarker(lifetime: value["ttl"]?.string)
    }
}
