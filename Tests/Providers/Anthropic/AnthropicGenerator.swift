import Base
import Chat
import JSON

@testable import Providers

/// Makes conversations up, of all that Anthropic has words for and in the form in which its front reads them.
struct AnthropicGenerator {
    private var random: SeededGenerator
    private var callCount = 0

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func request() -> ChatRequest {
        var request = ChatRequest(model: word(), messages: [])
        if chance() { request.messages.append(ChatMessage(.system, several(1...2) { $0.text() })) }
        for _ in 0..<number(1...4) { appendRound(to: &request.messages) }
        if chance() { request.messages.append(ChatMessage(.user, several(1...3) { $0.said() })) }
        request.tools = several(0...3) { $0.tool() }
        if !request.tools.isEmpty, chance() { chooseTool(for: &request) }
        if chance() { request.output = .schema(.init(name: "answer", schema: schema(), isStrict: true)) }
        request.sampling.maximumTokens = number(2000...9000)
        request.reasoning = reasoning(for: request)
        let isThinking = request.reasoning != nil && request.reasoning?.amount != .off
        if !isThinking, chance() { request.sampling.temperature = Double(number(0...4)) / 4 }
        if chance() { request.sampling.topP = isThinking ? 0.96 : 0.25 }
        if !isThinking, chance() { request.sampling.topK = number(1...50) }
        request.sampling.stop = several(0...2) { $0.word() }
        if chance() { request.hints.user = word() }
        if chance() { request.hints.serviceTier = chance() ? "auto" : "standard_only" }
        request.isStreaming = chance()
        request.includesUsage = request.isStreaming
        return request
    }

    /// A reply as it comes out of a stream, in which what lies side by side is one.
    mutating func reply(model: String) -> ChatReply {
        var parts: [ChatPart] = []
        for _ in 0..<number(0...3) {
            if chance() { parts.append(ChatPart(.reasoning(thought()))) }
            if chance() { parts.append(opaque("server_tool_use")) }
            if chance() {
                let citations = several(0...2) {
                    ChatCitation(
                        url: "https://\($0.word())", title: $0.chance() ? $0.word() : nil, quote: $0.word())
                }
                parts.append(ChatPart(.text(ChatText(word(), citations: citations))))
                // What follows would otherwise be more of the same text.
                parts.append(ChatPart(.toolCall(call())))
            }
        }
        let reasons: [ChatFinish] = [
            ChatFinish(.stop), ChatFinish(.stop, stopSequence: word()), ChatFinish(.length),
            ChatFinish(.toolCalls), ChatFinish(.contentFilter), ChatFinish(.paused),
        ]
        let usage = ChatUsage(
            input: number(0...99), cacheRead: number(0...9), cacheWrite: number(0...9),
            output: number(0...99),
            reasoning: number(0...9))
        return ChatReply(
            id: "msg_\(word())", model: model, parts: parts, finish: reasons[number(0...5)], usage: usage)
    }

    // MARK: Turns

    private mutating func appendRound(to messages: inout [ChatMessage]) {
        messages.append(ChatMessage(.user, several(1...3) { $0.said() }))
        if chance(), chance() { messages.append(ChatMessage(.system, [text()])) }
        var parts: [ChatPart] = []
        if chance() { parts.append(ChatPart(.reasoning(thought()))) }
        parts.append(text())
        if chance() { parts.append(opaque("server_tool_use")) }
        let calls = several(0...3) { $0.call() }
        parts += calls.map { ChatPart(.toolCall($0), cache: cache()) }
        messages.append(ChatMessage(.assistant, parts))
        if calls.isEmpty { return }
        messages.append(ChatMessage(.tool, calls.map { result(of: $0) }))
        if chance() { messages.append(ChatMessage(.assistant, [text()])) }
    }

    private mutating func said() -> ChatPart {
        switch number(0...3) {
        case 0: ChatPart(.media(image()), cache: cache())
        case 1: ChatPart(.media(document()), cache: cache())
        case 2: opaque("search_result")
        default: text()
        }
    }

    private mutating func text() -> ChatPart { ChatPart(.text(ChatText(word())), cache: cache()) }

    private mutating func image() -> ChatMedia {
        switch number(0...2) {
        case 0: ChatMedia(.image, .url("https://\(word())"))
        case 1: ChatMedia(.image, .file(id: word()))
        default: ChatMedia(.image, .base64("iVBORw0KGgo="), mediaType: "image/png")
        }
    }

    private mutating func document() -> ChatMedia {
        let name = chance() ? word() : nil
        return switch number(0...3) {
        case 0: ChatMedia(.file, .url("https://\(word())"), name: name)
        case 1: ChatMedia(.file, .file(id: word()), name: name)
        case 2: ChatMedia(.file, .text(word()), mediaType: "text/plain", name: name)
        default: ChatMedia(.file, .base64("JVBERi0="), mediaType: "application/pdf", name: name)
        }
    }

    private mutating func thought() -> ChatReasoning {
        switch number(0...2) {
        case 0: ChatReasoning("", seal: ChatSeal(word(), origin: .anthropic, replacesText: true))
        case 1: ChatReasoning("", seal: ChatSeal(word(), origin: .anthropic))
        default: ChatReasoning(word(), seal: ChatSeal(word(), origin: .anthropic))
        }
    }

    private mutating func call() -> ChatToolCall {
        callCount += 1
        return ChatToolCall(id: "toolu_\(callCount)", name: word(), arguments: value())
    }

    private mutating func result(of call: ChatToolCall) -> ChatPart {
        let parts = several(0...2) { $0.chance() ? $0.text() : ChatPart(.media($0.image())) }
        return ChatPart(
            .toolResult(ChatToolResult(callID: call.id, parts: parts, isError: chance())), cache: cache())
    }

    private mutating func opaque(_ type: String) -> ChatPart {
        ChatPart(.opaque(.anthropic, type: type, json(#"{"type":"\#(type)","id":"x","input":\#(value())}"#)))
    }

    // MARK: The rest

    private mutating func tool() -> ChatTool {
        if chance(), chance() {
            let value = json(
                #"{"type":"web_search_20250305","name":"web_search","max_uses":\#(number(1...5))}"#)
            return ChatTool(.provided(.anthropic, type: "web_search_20250305", value))
        }
        let function = ChatTool.Function(
            name: word(), description: chance() ? word() : nil, parameters: schema(),
            isStrict: chance() ? chance() : nil)
        return ChatTool(.function(function), cache: cache())
    }

    private mutating func chooseTool(for request: inout ChatRequest) {
        let choices: [ChatToolChoice] = [.auto, .none, .required, .tool(name: word())]
        let choice = choices[number(0...3)]
        request.toolChoice = choice
        if choice != .none, chance() { request.allowsParallelToolCalls = chance() }
    }

    private mutating func reasoning(for request: ChatRequest) -> ChatReasoningOptions? {
        if chance() { return nil }
        if chance() { return ChatReasoningOptions(.off) }
        switch request.toolChoice {
        case .required, .tool: return nil
        default: break
        }
        let efforts = ChatReasoningOptions.Effort.allCases.filter { $0 != .minimal }
        let amounts: [ChatReasoningOptions.Amount] = [
            .tokens(number(1024...1999)), .adaptive, .effort(efforts[number(0...efforts.count - 1)]),
        ]
        var options = ChatReasoningOptions(amounts[number(0...2)])
        options.summary = [nil, ChatReasoningOptions.Summary.none, .auto][number(0...2)]
        options.wantsSeal = true
        return options
    }

    private mutating func cache() -> ChatCacheMarker? {
        guard number(0...5) == 0 else { return nil }
        return ChatCacheMarker(lifetime: [nil, "5m", "1h"][number(0...2)])
    }

    private mutating func schema() -> JSONValue {
        json(#"{"type":"object","properties":{"a":{"type":"string"}},"description":\#(value())}"#)
    }

    private mutating func value() -> String {
        chance() ? "{}" : #"{"a": [1, 2.5, "\#(word())"], "b\n": {"c":null}}"#
    }

    private func json(_ text: String) -> JSONValue {
        do { return try JSONDocument(parsing: Array(text.utf8)).root } catch {
            preconditionFailure("the generator writes no JSON: \(text)")
        }
    }

    private mutating func several<Element>(
        _ counts: ClosedRange<Int>, _ make: (inout AnthropicGenerator) -> Element
    ) -> [Element] {
        (0..<number(counts)).map { _ in make(&self) }
    }

    private mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    private mutating func chance() -> Bool { Bool.random(using: &random) }

    private mutating func word() -> String {
        let words = ["straße", "日本語", "🙂", "say", " lead", "trail ", "line-break", "é", "0"]
        return "\(words[number(0...words.count - 1)])\(number(0...999))"
    }
}
