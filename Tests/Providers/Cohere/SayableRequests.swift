import Base
import Chat
import JSON

/// Makes requests up, of what a format can say.
struct SayableRequests {
    var generator: SeededGenerator
    /// Whether a message may have several texts.
    var hasTextLists: Bool
    /// Whether images may be elsewhere, and say how closely they are to be looked at.
    var hasImagesByURL: Bool
    /// The thoughts that go back to where they came from.
    var seals: [ChatSeal]
    /// The names of calls: not all formats have any.
    var callID: (_ index: Int, _ random: UInt64) -> String

    mutating func next() -> ChatRequest {
        var request = ChatRequest(model: "ours", messages: [])
        if coin() { request.messages.append(ChatMessage(coin() ? .system : .developer, texts())) }
        var callCount = 0
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            request.messages.append(ChatMessage(.user, userParts()))
            if coin() { addTurn(to: &request.messages, &callCount) }
        }
        addTools(to: &request)
        switch Int.random(in: 0..<3, using: &generator) {
        case 0: request.output = .json
        case 1: request.output = .schema(.init(name: "answer", schema: schema()))
        default: break
        }
        addSampling(to: &request)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: request.reasoning = ChatReasoningOptions(.off)
        case 1: request.reasoning = ChatReasoningOptions(.adaptive)
        default: break
        }
        request.isStreaming = coin()
        return request
    }

    mutating func coin() -> Bool { Bool.random(using: &generator) }

    // MARK: Turns

    /// An answer, perhaps with calls and their results.
    private mutating func addTurn(to messages: inout [ChatMessage], _ callCount: inout Int) {
        var parts: [ChatPart] = []
        if let seal = seals.randomElement(using: &generator), coin() {
            parts.append(ChatPart(.reasoning(ChatReasoning(text(), seal: seal))))
        }
        if coin() { parts += texts() }
        var results: [ChatPart] = []
        for _ in 0..<Int.random(in: 0...2, using: &generator) {
            let call = ChatToolCall(
                id: callID(callCount, generator.next()), name: "tool_\(callCount % 3)",
                arguments: "{\"a\":\"\(callCount)\",\"b\":[1,2.5,null]}")
            callCount += 1
            parts.append(ChatPart(.toolCall(call)))
            results.append(ChatPart(.toolResult(ChatToolResult(callID: call.id, parts: texts()))))
        }
        if results.isEmpty, !parts.contains(where: { $0.plainText != nil }) { parts += texts() }
        messages.append(ChatMessage(.assistant, parts))
        if !results.isEmpty { messages.append(ChatMessage(.tool, results)) }
    }

    private mutating func texts() -> [ChatPart] {
        let count = hasTextLists ? Int.random(in: 1...3, using: &generator) : 1
        return (0..<count).map { _ in .text(text()) }
    }

    private mutating func userParts() -> [ChatPart] {
        var parts = texts()
        if coin() { return parts }
        if hasImagesByURL, coin() {
            parts.append(
                ChatPart(
                    .media(
                        ChatMedia(.image, .url("https://example.com/\(generator.next()).png"), detail: "low"))
                ))
        } else {
            let media = ChatMedia(
                .image, .base64(Base64.encode(text().utf8)), mediaType: hasImagesByURL ? "image/webp" : nil)
            parts.append(ChatPart(.media(media)))
        }
        return parts
    }

    private mutating func text() -> String {
        let pieces = ["a", "é", "\"", "\\", "\n", "\u{0}", "日本", "🦜", " ", "{}", "data: ", "end"]
        return (0..<Int.random(in: 1...8, using: &generator))
            .map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
    }

    // MARK: The rest

    private mutating func addTools(to request: inout ChatRequest) {
        let count = Int.random(in: 0...3, using: &generator)
        request.tools = (0..<count).map { index in
            ChatTool(
                .function(
                    .init(
                        name: "tool_\(index)", description: coin() ? text() : nil, parameters: schema())))
        }
    }

    private mutating func schema() -> JSONValue {
        var json = JSONWriter()
        json.object { json in
            json.field("type", "object")
            json.object("properties") { json in
                json.object("a") { $0.field("type", "string") }
                json.key(dynamic: "b\(generator.next() % 9)")
                json.object { $0.field("description", text()) }
            }
        }
        do { return try JSONDocument(parsing: json.bytes).root } catch { preconditionFailure("\(error)") }
    }

    private mutating func addSampling(to request: inout ChatRequest) {
        if coin() { request.sampling.maximumTokens = Int.random(in: 1...9999, using: &generator) }
        if coin() { request.sampling.temperature = Double.random(in: 0...2, using: &generator) }
        if coin() { request.sampling.topP = Double.random(in: 0.01...0.99, using: &generator) }
        if coin() { request.sampling.topK = Int.random(in: 1...500, using: &generator) }
        if coin() { request.sampling.frequencyPenalty = Double.random(in: 0...1, using: &generator) }
        if coin() { request.sampling.presencePenalty = Double.random(in: 0...1, using: &generator) }
        if coin() { request.sampling.seed = Int.random(in: 0...Int(Int32.max), using: &generator) }
        if coin() { request.sampling.stop = (0..<2).map { _ in text() } }
    }
}
