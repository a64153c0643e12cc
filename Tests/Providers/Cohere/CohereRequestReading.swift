import Chat
import JSON
import Testing

/// Reads a request as Cohere would, so that what was lost on the way shows.
enum CohereRequestReading {
    static func request(_ body: [UInt8]) throws -> ChatRequest {
        let root = try JSONDocument(parsing: body).root
        var request = ChatRequest(
            model: try #require(root["model"]?.string),
            messages: try #require(root["messages"]).elements.map(message))
        request.isStreaming = try #require(root["stream"]?.bool as Bool?)
        request.tools = try (root["tools"]?.elements).map { Array($0) }?.map(tool) ?? []
        switch root["tool_choice"]?.string {
        case "REQUIRED": request.toolChoice = .required
        case "NONE": request.toolChoice = ChatToolChoice.none
        default: break
        }
        if let format = root["response_format"] {
            #expect(format["type"]?.string == "json_object")
            request.output =
                format["json_schema"].map { .schema(.init(name: "answer", schema: $0)) } ?? .json
        }
        request.sampling.maximumTokens = root["max_tokens"]?.int
        request.sampling.temperature = root["temperature"]?.double
        request.sampling.topP = root["p"]?.double
        request.sampling.topK = root["k"]?.int
        request.sampling.frequencyPenalty = root["frequency_penalty"]?.double
        request.sampling.presencePenalty = root["presence_penalty"]?.double
        request.sampling.seed = root["seed"]?.int
        request.sampling.stop = root["stop_sequences"]?.elements.compactMap(\.string) ?? []
        if let thinking = root["thinking"] {
            let isOn = thinking["type"]?.string == "enabled"
            let budget = thinking["token_budget"]?.int
            request.reasoning = ChatReasoningOptions(
                isOn ? budget.map { .tokens($0) } ?? .adaptive : .off)
        }
        return request
    }

    private static func tool(_ value: JSONValue) throws -> ChatTool {
        #expect(value["type"]?.string == "function")
        let function = try #require(value["function"])
        return ChatTool(
            .function(
                .init(
                    name: try #require(function["name"]?.string),
                    description: function["description"]?.string,
                    parameters: function["parameters"])))
    }

    private static func message(_ value: JSONValue) throws -> ChatMessage {
        let role = try #require(value["role"]?.string.flatMap(ChatMessage.Role.init))
        var parts = try content(value["content"])
        if role == .tool {
            let id = try #require(value["tool_call_id"]?.string)
            return ChatMessage(.tool, [ChatPart(.toolResult(ChatToolResult(callID: id, parts: parts)))])
        }
        if let plan = value["tool_plan"]?.string {
            parts.append(
                ChatPart(.reasoning(ChatReasoning(plan, seal: ChatSeal("tool_plan", origin: .cohere)))))
        }
        for call in value["tool_calls"]?.elements.map({ $0 }) ?? [] {
            parts.append(
                ChatPart(
                    .toolCall(
                        ChatToolCall(
                            id: try #require(call["id"]?.string),
                            name: try #require(call["function"]?["name"]?.string),
                            arguments: try #require(call["function"]?["arguments"]?.string)))))
        }
        return ChatMessage(role, parts)
    }

    private static func content(_ value: JSONValue?) throws -> [ChatPart] {
        guard let value else { return [] }
        if let text = value.string { return [.text(text)] }
        return try value.elements.map { item in
            switch item["type"]?.string {
            case "text": return .text(try #require(item["text"]?.string))
            case "thinking":
                let text = try #require(item["thinking"]?.string)
                return ChatPart(
                    .reasoning(ChatReasoning(text, seal: ChatSeal("thinking", origin: .cohere))))
            default:
                let image = try #require(item["image_url"])
                let url = try #require(image["url"]?.string)
                let detail = image["detail"]?.string
                guard url.hasPrefix("data:") else {
                    return ChatPart(.media(ChatMedia(.image, .url(url), detail: detail)))
                }
                let halves = url.dropFirst(5).split(separator: ";base64,")
                return ChatPart(
                    .media(
                        ChatMedia(
                            .image, .base64(String(halves[1])), mediaType: String(halves[0]),
                            detail: detail)))
            }
        }
    }
}
