import Base
import Chat
import JSON

/// Makes conversations up of what all dialects can say.
struct CommonGround {
    private var random: SeededGenerator
    private var callCount = 0

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func request() throws -> ChatRequest {
        var request = ChatRequest(model: "m", messages: [])
        if coin() { request.messages.append(ChatMessage(role: .system, text: words())) }
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            request.messages.append(ChatMessage(.user, userParts()))
            appendTurn(to: &request.messages)
        }
        request.messages.append(ChatMessage(role: .user, text: words()))
        // Calls are only understood beside the tools that were called.
        request.tools = try ["weather", "sum"].map { name in
            ChatTool(.function(.init(name: name, description: words(), parameters: try schema())))
        }
        if coin() { request.output = .schema(.init(name: "answer", schema: try schema(), isStrict: true)) }
        request.sampling.maximumTokens = Int.random(in: 1...4000, using: &random)
        if coin() { request.sampling.temperature = 0.5 }
        request.isStreaming = coin()
        return request
    }

    private mutating func appendTurn(to messages: inout [ChatMessage]) {
        guard coin() else { return messages.append(ChatMessage(role: .assistant, text: words())) }
        var parts: [ChatPart] = coin() ? [.text(words())] : []
        var results: [ChatPart] = []
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            callCount += 1
            let name = coin() ? "weather" : "sum"
            let call = ChatToolCall(
                id: "call_\(callCount)", name: name,
                arguments: arguments())
            parts.append(ChatPart(.toolCall(call)))
            results.append(ChatPart(.toolResult(.init(callID: call.id, parts: [.text(words())]))))
        }
        messages.append(ChatMessage(.assistant, parts))
        messages += results.map { ChatMessage(.tool, [$0]) }
        messages.append(ChatMessage(role: .assistant, text: words()))
    }

    private mutating func userParts() -> [ChatPart] {
        guard coin() else { return [.text(words())] }
        let data = Base64.encode(Array(words().utf8))
        return [.text(words()), ChatPart(.media(ChatMedia(.image, .base64(data), mediaType: "image/png")))]
    }

    private mutating func schema() throws -> JSONValue {
        var json = JSONWriter()
        json.object { json in
            json.field("type", "object")
            json.object("properties") { json in
                json.key(dynamic: word())
                json.object { $0.field("type", "string") }
                json.object("n") { $0.field("type", "integer") }
            }
            json.array("required", ["n"])
            json.field("additionalProperties", false)
        }
        return try JSONDocument(parsing: json.bytes).root
    }

    private mutating func arguments() -> String {
        var json = JSONWriter()
        json.object { json in
            json.field("a", Int.random(in: 0...9, using: &random))
            json.array("b", [word()])
        }
        return String(decoding: json.bytes, as: UTF8.self)
    }

    private mutating func coin() -> Bool { Bool.random(using: &random) }
    private mutating func words() -> String {
        (0..<Int.random(in: 1...6, using: &random)).map { _ in word() }.joined(separator: " ")
    }
    private mutating func word() -> String {
        ["honey", "Straße", "蜂", "\u{1F41D}", "a\\b", "\"quoted\"", "tab\tbed", "x"].randomElement(
            using: &random)
            ?? ""
    }
}

/// What a request means, without what dialects arrange differently: the names of calls, how messages are cut, where
/// instructions stand.
struct Meaning: Equatable {
    private var instructions: [String] = []
    private var conversation: [String] = []
    private var tools: [String] = []
    private var schema: [UInt8]?
    private var limit: Int?
    private var temperature: Double?
    private var isStreaming: Bool

    init(_ request: ChatRequest) throws {
        isStreaming = request.isStreaming
        limit = request.sampling.maximumTokens
        temperature = request.sampling.temperature
        if case .schema(let output) = request.output { schema = output.schema.canonical() }
        for tool in request.tools {
            guard case .function(let function) = tool.kind else { continue }
            let parameters = function.parameters.map { String(decoding: $0.canonical(), as: UTF8.self) } ?? ""
            tools.append("\(function.name): \(function.description ?? "") \(parameters)")
        }
        var calls: [String: Int] = [:]
        for message in request.messages {
            for part in message.parts { try take(part, of: message.role, &calls) }
        }
    }

    private mutating func take(_ part: ChatPart, of role: ChatMessage.Role, _ calls: inout [String: Int])
        throws
    {
        switch part.content {
        case .text(let text) where text.text.isEmpty: break
        case .text(let text):
            if role == .system || role == .developer {
                instructions.append(text.text)
            } else {
                conversation.append("\(role.rawValue): \(text.text)")
            }
        case .media(let media): conversation.append("\(role.rawValue) shows \(media.source)")
        case .toolCall(let call):
            calls[call.id] = calls.count
            let arguments = try JSONDocument(parsing: Array(call.arguments.utf8)).canonical()
            conversation.append("calls \(call.name) with \(String(decoding: arguments, as: UTF8.self))")
        case .toolResult(let result):
            let text = result.parts.compactMap(\.plainText).joined()
            conversation.append("call \(calls[result.callID] ?? -1) gave \(text)")
        case .refusal(let text): conversation.append("declines: \(text)")
        case .reasoning, .opaque: break
        }
    }
}
