import Chat
import JSON
import Testing

/// Reads a request as Ollama would, so that what was lost on the way shows.
struct OllamaRequestReading {
    private var callCount = 0
    /// The calls whose results have not come yet.
    private var open: [ChatToolCall] = []

    static func request(_ body: [UInt8]) throws -> ChatRequest {
        let root = try JSONDocument(parsing: body).root
        var reading = OllamaRequestReading()
        var request = ChatRequest(
            model: try #require(root["model"]?.string),
            messages: try #require(root["messages"]).elements.map { try reading.message($0) })
        request.isStreaming = try #require(root["stream"]?.bool as Bool?)
        request.tools = try root["tools"]?.elements.map { try tool($0) } ?? []
        if let format = root["format"] {
            request.output =
                format.kind == .object ? .schema(.init(name: "answer", schema: format)) : .json
        }
        switch root["think"]?.bool {
        case true?: request.reasoning = ChatReasoningOptions(.adaptive)
        case false?: request.reasoning = ChatReasoningOptions(.off)
        case nil: break
        }
        guard let options = root["options"] else { return request }
        request.sampling.maximumTokens = options["num_predict"]?.int
        request.sampling.temperature = options["temperature"]?.double
        request.sampling.topP = options["top_p"]?.double
        request.sampling.topK = options["top_k"]?.int
        request.sampling.frequencyPenalty = options["frequency_penalty"]?.double
        request.sampling.presencePenalty = options["presence_penalty"]?.double
        request.sampling.seed = options["seed"]?.int
        request.sampling.stop = options["stop"]?.elements.compactMap(\.string) ?? []
        return request
    }

    private static func tool(_ value: JSONValue) throws -> ChatTool {
        #expect(value["type"]?.string == "function")
        let function = try #require(value["function"])
        return ChatTool(
            .function(
                .init(
                    name: try #require(function["name"]?.string),
                    description: function["description"]?.string, parameters: function["parameters"])))
    }

    private mutating func message(_ value: JSONValue) throws -> ChatMessage {
        let role = try #require(value["role"]?.string.flatMap(ChatMessage.Role.init))
        var parts: [ChatPart] = []
        if let thinking = value["thinking"]?.string {
            let seal = ChatSeal("thinking", origin: .ollama)
            parts.append(ChatPart(.reasoning(ChatReasoning(thinking, seal: seal))))
        }
        if let text = value["content"]?.string, !text.isEmpty { parts.append(.text(text)) }
        for image in value["images"]?.elements.map({ $0 }) ?? [] {
            let data = try #require(image.string)
            parts.append(ChatPart(.media(ChatMedia(.image, .base64(data)))))
        }
        if role == .tool {
            // Results come in the order of their calls.
            let call = open.removeFirst()
            #expect(value["tool_name"]?.string == call.name)
            return ChatMessage(
                .tool, [ChatPart(.toolResult(ChatToolResult(callID: call.id, parts: parts)))])
        }
        for value in value["tool_calls"]?.elements.map({ $0 }) ?? [] {
            let function = try #require(value["function"])
            let arguments = try #require(function["arguments"])
            let call = ChatToolCall(
                id: "call_\(callCount)", name: try #require(function["name"]?.string),
                arguments: String(decoding: arguments.bytes, as: UTF8.self))
            callCount += 1
            open.append(call)
            parts.append(ChatPart(.toolCall(call)))
        }
        return ChatMessage(role, parts)
    }
}
