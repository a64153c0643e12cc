import Base
import Chat
import JSON

/// Reads a request of the Responses API.
struct OpenAIResponsesRequestReader {
    var reader = RequestReader()

    mutating func request(_ root: JSONValue) -> ChatRequest {
        let root = JSONIndex(root)
        var request = ChatRequest(model: reader.requiredText(root["model"], "model") ?? "", messages: [])
        refuseWhatIsKept(root)
        if let text = reader.text(root["instructions"], "instructions") {
            request.messages.append(ChatMessage(role: .system, text: text))
        }
        request.messages += input(root["input"])
        request.tools = tools(root["tools"])
        (request.toolChoice, request.tools) = choice(root["tool_choice"], among: request.tools)
        request.allowsParallelToolCalls = reader.flag(root["parallel_tool_calls"], "parallel_tool_calls")
        if let text = reader.object(root["text"], "text") {
            request.output = format(reader.object(text["format"], "text.format"))
            request.hints.verbosity = reader.text(text["verbosity"], "text.verbosity")
        }
        request.sampling.maximumTokens = bounds(root).maximumTokens
        request.sampling.temperature = reader.number(root["temperature"], "temperature")
        request.sampling.topP = reader.number(root["top_p"], "top_p")
        request.reasoning = reasoning(root)
        read(hintsOf: root, into: &request.hints)
        request.isStreaming = reader.flag(root["stream"], "stream") ?? false
        // The end of a stream always says it.
        request.includesUsage = request.isStreaming
        return request
    }

    mutating func bounds(_ root: JSONIndex) -> AnswerBounds {
        AnswerBounds(
            maximumTokens: reader.count(root["max_output_tokens"], from: 1, "max_output_tokens"))
    }

    /// Names the way out of what only somebody who keeps conversations can do.
    private mutating func refuseWhatIsKept(_ root: JSONIndex) {
        let wayOut =
            "is not kept for this model: send the whole conversation in input, "
            + "or choose a model whose provider speaks this API itself"
        if root["previous_response_id"].present != nil {
            reader.fault("previous_response_id", "An earlier response \(wayOut)")
        }
        if root["conversation"].present != nil { reader.fault("conversation", "A conversation \(wayOut)") }
        if root["prompt"].present != nil {
            reader.fault(
                "prompt", "A prompt is not kept for this model: send its text in instructions and input")
        }
        Self.refuseBackground(root["background"], &reader)
    }

    /// Nobody could fetch the answer here, and what it takes would not be known.
    static func refuseBackground(_ background: JSONValue?, _ reader: inout RequestReader) {
        if reader.flag(background, "background") == true {
            reader.fault("background", "must be false: send stream: true and read the answer as it comes")
        }
    }

    private mutating func reasoning(_ root: JSONIndex) -> ChatReasoningOptions? {
        var options = ChatReasoningOptions()
        if let reasoning = reader.object(root["reasoning"], "reasoning") {
            if reasoning["effort"]?.stringEquals("none") ?? false {
                options.amount = .off
            } else if let effort: ChatReasoningOptions.Effort = reader.choice(
                reasoning["effort"], "reasoning.effort")
            {
                options.amount = .effort(effort)
            }
            let summary = reasoning["summary"].present ?? reasoning["generate_summary"]
            options.summary = reader.choice(summary, "reasoning.summary")
        }
        if let include = reader.array(root["include"], "include") {
            options.wantsSeal = include.elements.contains { $0.stringEquals("reasoning.encrypted_content") }
        }
        return options == ChatReasoningOptions() ? nil : options
    }

    private mutating func read(hintsOf root: JSONIndex, into hints: inout ChatHints) {
        let safety = reader.text(root["safety_identifier"], "safety_identifier")
        let user = reader.text(root["user"], "user")
        hints.user = safety ?? user
        hints.serviceTier = reader.text(root["service_tier"], "service_tier")
        hints.promptCacheKey = reader.text(root["prompt_cache_key"], "prompt_cache_key")
        hints.store = reader.flag(root["store"], "store")
        guard let metadata = reader.object(root["metadata"], "metadata") else { return }
        for member in metadata.members {
            let name = member.key.string
            if let value = reader.text(member.value, "metadata.\(name)") {
                hints.metadata.append((name, value))
            }
        }
    }

    // MARK: Answers

    private mutating func format(_ format: JSONValue?) -> ChatOutputFormat {
        guard let format, let type = reader.requiredText(format["type"], "text.format.type") else {
            return .text
        }
        switch type {
        case "text": return .text
        case "json_object": return .json
        case "json_schema":
            let name = reader.requiredText(format["name"], "text.format.name")
            let description = reader.text(format["description"], "text.format.description")
            let isStrict = reader.flag(format["strict"], "text.format.strict")
            guard let schema = reader.schema(format["schema"], "text.format.schema") else {
                if format["schema"].present == nil { reader.fault("text.format.schema", "is required") }
                return .text
            }
            return .schema(
                ChatOutputFormat.Schema(
                    name: name ?? "", description: description, schema: schema, isStrict: isStrict))
        default:
            reader.fault("text.format.type", "must be one of \"text\", \"json_object\", \"json_schema\"")
            return .text
        }
    }

    // MARK: Tools

    private mutating func tools(_ value: JSONValue?) -> [ChatTool] {
        guard let list = reader.array(value, "tools") else { return [] }
        return list.elements.enumerated().compactMap { tool($0.element, "tools[\($0.offset)]") }
    }

    private mutating func tool(_ value: JSONValue, _ field: String) -> ChatTool? {
        guard let tool = reader.object(value, field),
            let type = reader.requiredText(tool["type"], "\(field).type")
        else { return nil }
        switch type {
        case "function":
            return ChatTool(
                .function(
                    ChatTool.Function(
                        name: reader.requiredText(tool["name"], "\(field).name") ?? "",
                        description: reader.text(tool["description"], "\(field).description"),
                        parameters: reader.object(tool["parameters"], "\(field).parameters"),
                        isStrict: reader.flag(tool["strict"], "\(field).strict"))))
        case "custom":
            return ChatTool(
                .custom(
                    ChatTool.Custom(
                        name: reader.requiredText(tool["name"], "\(field).name") ?? "",
                        description: reader.text(tool["description"], "\(field).description"),
                        format: reader.object(tool["format"], "\(field).format"))))
        default: return ChatTool(.provided(.openAIResponses, type: type, tool))
        }
    }

    private mutating func choice(_ value: JSONValue?, among tools: [ChatTool]) -> (
        ChatToolChoice?, [ChatTool]
    ) {
        guard let value = value.present else { return (nil, tools) }
        if value.kind == .string { return (mode(value, "tool_choice"), tools) }
        guard let choice = reader.object(value, "tool_choice"),
            let type = reader.requiredText(choice["type"], "tool_choice.type")
        else { return (nil, tools) }
        switch type {
        case "function", "custom":
            let name = reader.requiredText(choice["name"], "tool_choice.name")
            return (name.map { .tool(name: $0) }, tools)
        case "allowed_tools":
            return (mode(choice["mode"], "tool_choice.mode"), allowed(choice["tools"], of: tools))
        default:
            reader.fault(
                "tool_choice.type",
                "must be \"function\", \"custom\" or \"allowed_tools\"; others cannot be forced here")
            return (nil, tools)
        }
    }

    private mutating func mode(_ value: JSONValue?, _ field: String) -> ChatToolChoice? {
        guard let text = reader.requiredText(value, field) else { return nil }
        switch text {
        case "auto": return .auto
        case "none": return ChatToolChoice.none
        case "required": return .required
        default:
            reader.fault(field, "must be one of \"none\", \"auto\", \"required\"")
            return nil
        }
    }

    /// Tools that may not be called are as good as not there.
    private mutating func allowed(_ value: JSONValue?, of tools: [ChatTool]) -> [ChatTool] {
        guard let list = reader.requiredArray(value, "tool_choice.tools") else { return tools }
        var isAllowed = [Bool](repeating: false, count: tools.count)
        for (index, choice) in list.elements.enumerated() {
            let chosen = tools.indices.filter { tools[$0].isMeant(by: choice) }
            if chosen.isEmpty { reader.fault("tool_choice.tools[\(index)]", "must be one of tools") }
            for index in chosen { isAllowed[index] = true }
        }
        return zip(tools, isAllowed).filter(\.1).map(\.0)
    }
}

extension ChatTool {
    fileprivate func isMeant(by choice: JSONValue) -> Bool {
        switch kind {
        case .function, .custom: name == choice["name"]?.string
        case .provided(_, let type, let tool):
            type == choice["type"]?.string && tool["server_label"] == choice["server_label"]
        }
    }
}
