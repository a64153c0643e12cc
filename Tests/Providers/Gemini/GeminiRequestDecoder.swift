import Base
import Chat
import JSON
import Testing

@testable import Providers

/// Reads a request of the Gemini API as Gemini would: what the codec writes must say what was meant.
struct GeminiRequestDecoder {
    static func request(_ body: [UInt8], model: String, isStreaming: Bool) throws -> ChatRequest {
        let root = try JSONDocument(parsing: body).root
        var request = ChatRequest(model: model, messages: [])
        let instructions = root["systemInstruction"]?["parts"].map { Array($0.elements) } ?? []
        request.messages += try instructions.map {
            ChatMessage(role: .system, text: try #require($0["text"]?.string))
        }
        var callCount = 0
        for content in try #require(root["contents"]).elements {
            let role: ChatMessage.Role = content["role"]?.string == "model" ? .assistant : .user
            request.messages.append(try message(role, content, &callCount))
        }
        request.tools = try tools(root)
        request.toolChoice = choice(root["toolConfig"]?["functionCallingConfig"])
        if let config = root["generationConfig"] { try read(config, into: &request) }
        request.isStreaming = isStreaming
        return request
    }

    private static func read(_ config: JSONValue, into request: inout ChatRequest) throws {
        request.sampling.maximumTokens = config["maxOutputTokens"]?.int
        request.sampling.temperature = config["temperature"]?.double
        request.sampling.topP = config["topP"]?.double
        request.sampling.topK = config["topK"]?.int
        request.sampling.frequencyPenalty = config["frequencyPenalty"]?.double
        request.sampling.presencePenalty = config["presencePenalty"]?.double
        request.sampling.seed = config["seed"]?.int
        request.sampling.stop = config["stopSequences"]?.elements.compactMap(\.string) ?? []
        if config["responseMimeType"]?.string == "application/json" {
            let schema = config["responseJsonSchema"]
            request.output = schema.map { .schema(ChatOutputFormat.Schema(name: "", schema: $0)) } ?? .json
        }
        guard let thinking = config["thinkingConfig"] else { return }
        var options = ChatReasoningOptions()
        if let level = thinking["thinkingLevel"]?.string {
            options.amount = .effort(try #require(ChatReasoningOptions.Effort(rawValue: level)))
        } else if let budget = thinking["thinkingBudget"]?.int {
            options.amount = budget < 0 ? .adaptive : budget == 0 ? .off : .tokens(budget)
        }
        options.summary = thinking["includeThoughts"]?.bool.map { $0 ? .auto : .none }
        request.reasoning = options
    }

    private static func tools(_ root: JSONValue) throws -> [ChatTool] {
        var tools: [ChatTool] = []
        for tool in root["tools"].map({ Array($0.elements) }) ?? [] {
            guard let functions = tool["functionDeclarations"] else {
                let type = try #require(tool.members.lazy.map(\.key.string).first { _ in true })
                tools.append(ChatTool(.provided(.gemini, type: type, tool)))
                continue
            }
            for function in functions.elements {
                let description = function["description"]?.string
                tools.append(
                    ChatTool(
                        .function(
                            ChatTool.Function(
                                name: try #require(function["name"]?.string),
                                description: description?.isEmpty == true ? nil : description,
                                parameters: function["parametersJsonSchema"]))))
            }
        }
        return tools
    }

    private static func choice(_ config: JSONValue?) -> ChatToolChoice? {
        switch config?["mode"]?.string {
        case "AUTO": .auto
        case "NONE": ChatToolChoice.none
        case "ANY":
            config?["allowedFunctionNames"]?.element(0)?.string.map { .tool(name: $0) } ?? .required
        default: nil
        }
    }

    // MARK: Contents

    private static func message(_ role: ChatMessage.Role, _ content: JSONValue, _ callCount: inout Int) throws
        -> ChatMessage
    {
        var role = role
        var parts: [ChatPart] = []
        for part in try #require(content["parts"]).elements {
            let signature = part["thoughtSignature"]?.string
            if part["thought"]?.bool == true {
                let text = try #require(part["text"]?.string)
                let seal = signature.map { ChatSeal($0, origin: .gemini, replacesText: true) }
                parts.append(ChatPart(.reasoning(ChatReasoning(text, isSummary: true, seal: seal))))
                continue
            }
            let read = try self.part(part)
            if case .toolResult = read.content { role = .tool }
            if let signature, !read.isOpaque { seal(&parts, with: ChatSeal(signature, origin: .gemini)) }
            if part["text"]?.string == "", signature != nil { continue }
            parts.append(read)
        }
        return ChatMessage(role, parts)
    }

    /// The thought directly before a part is sealed with the part's signature.
    private static func seal(_ parts: inout [ChatPart], with seal: ChatSeal) {
        if let last = parts.last, case .reasoning(var reasoning) = last.content, reasoning.seal == nil {
            reasoning.seal = seal
            parts[parts.count - 1].content = .reasoning(reasoning)
        } else {
            parts.append(ChatPart(.reasoning(ChatReasoning("", seal: seal))))
        }
    }

    private static func part(_ part: JSONValue) throws -> ChatPart {
        if let text = part["text"]?.string { return .text(text) }
        if let call = part["functionCall"] {
            return ChatPart(
                .toolCall(
                    ChatToolCall(
                        id: call["id"]?.string ?? "", name: try #require(call["name"]?.string),
                        arguments: String(decoding: try #require(call["args"]).bytes, as: UTF8.self))))
        }
        if let response = part["functionResponse"] {
            let value = try #require(response["response"])
            let error = value["error"]
            let said = error ?? value["output"] ?? value
            let text = said.string ?? String(decoding: said.bytes, as: UTF8.self)
            return ChatPart(
                .toolResult(
                    ChatToolResult(
                        callID: response["id"]?.string ?? "", parts: [.text(text)], isError: error != nil)))
        }
        if let data = part["inlineData"] {
            let type = try #require(data["mimeType"]?.string)
            return ChatPart(
                .media(
                    ChatMedia(kind(type), .base64(try #require(data["data"]?.string)), mediaType: type)))
        }
        if let file = part["fileData"] {
            let type = file["mimeType"]?.string
            return ChatPart(
                .media(
                    ChatMedia(kind(type ?? ""), .url(try #require(file["fileUri"]?.string)), mediaType: type))
            )
        }
        let type = try #require(part.members.lazy.map(\.key.string).first { $0 != "thoughtSignature" })
        return ChatPart(.opaque(.gemini, type: type, part))
    }

    private static func kind(_ type: String) -> ChatMedia.Kind {
        type.hasPrefix("image/")
            ? .image : type.hasPrefix("audio/") ? .audio : type.hasPrefix("video/") ? .video : .file
    }
}

extension ChatPart {
    fileprivate var isOpaque: Bool { if case .opaque = content { true } else { false } }
}
