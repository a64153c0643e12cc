import Base
import Chat
import JSON

/// Conversations and replies that the Responses API can say, made from a seed.
struct ResponsesGenerator {
    private var generator: SeededGenerator

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    mutating func below(_ bound: Int) -> Int { Int(generator.next() % UInt64(bound)) }
    mutating func flip() -> Bool { generator.next() & 1 == 0 }
    mutating func maybe<Value>(_ make: (inout Self) -> Value) -> Value? { flip() ? make(&self) : nil }

    mutating func text() -> String {
        let words = [
            "a", "Grüße", "\"quoted\"", "\\", "line\nbreak", "😀", "{\"x\":1}", "data: [DONE]", "\u{7}",
        ]
        return (0...below(4)).map { _ in words[below(words.count)] }.joined(separator: " ")
    }

    mutating func name(_ kind: String) -> String { "\(kind)_\(generator.next() % 1_000_000)" }

    mutating func json() -> JSONValue {
        let texts = [
            #"{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}"#,
            #"{"type":"object","properties":{},"additionalProperties":false}"#,
            #"{"type":"object","description":"😀 \"x\"","minimum":1.50}"#,
        ]
        return Self.value(texts[below(texts.count)])
    }

    static func value(_ text: String) -> JSONValue {
        do { return try JSONDocument(parsing: Array(text.utf8)).root } catch {
            preconditionFailure("\(text): \(error)")
        }
    }

    private static let grammar = value(#"{"type":"grammar","syntax":"regex","definition":"a+"}"#)

    // MARK: Requests

    mutating func request() -> ChatRequest {
        var request = ChatRequest(model: name("model"), messages: messages())
        request.tools = (0..<below(4)).map { _ in tool() }
        let names = request.tools.compactMap(\.name)
        request.toolChoice = maybe { generator in
            switch generator.below(names.isEmpty ? 3 : 4) {
            case 0: .auto
            case 1: ChatToolChoice.none
            case 2: .required
            default: .tool(name: names[generator.below(names.count)])
            }
        }
        request.allowsParallelToolCalls = maybe { $0.flip() }
        request.output = output()
        request.sampling.maximumTokens = maybe { $0.below(5000) + 1 }
        request.sampling.temperature = maybe { Double($0.below(200)) / 100 }
        request.sampling.topP = maybe { Double($0.below(100)) / 100 }
        request.reasoning = reasoningOptions()
        request.hints.user = maybe { $0.name("user") }
        request.hints.serviceTier = maybe { ["auto", "flex", "priority"][$0.below(3)] }
        request.hints.promptCacheKey = maybe { $0.name("key") }
        request.hints.verbosity = maybe { ["low", "high"][$0.below(2)] }
        request.hints.metadata = (0..<below(3)).map { ("name\($0)", text()) }
        request.hints.store = flip()
        request.isStreaming = flip()
        request.includesUsage = request.isStreaming
        return request
    }

    private mutating func reasoningOptions() -> ChatReasoningOptions? {
        let efforts = ChatReasoningOptions.Effort.allCases
        var options = ChatReasoningOptions()
        options.amount = maybe { $0.below(5) == 0 ? .off : .effort(efforts[$0.below(efforts.count)]) }
        options.summary = maybe { [.auto, .concise, .detailed][$0.below(3)] }
        options.wantsSeal = flip()
        return options == ChatReasoningOptions() ? nil : options
    }

    private mutating func output() -> ChatOutputFormat {
        switch below(3) {
        case 0: .text
        case 1: .json
        default:
            .schema(
                ChatOutputFormat.Schema(
                    name: name("schema"), description: maybe { $0.text() }, schema: json(),
                    isStrict: maybe { $0.flip() }))
        }
    }

    private mutating func tool() -> ChatTool {
        switch below(4) {
        case 0:
            ChatTool(
                .custom(
                    ChatTool.Custom(
                        name: name("custom"), description: maybe { $0.text() },
                        format: maybe { _ in Self.grammar })))
        case 1:
            ChatTool(
                .provided(
                    .openAIResponses, type: "web_search",
                    Self.value(#"{"type":"web_search","search_context_size":"low"}"#)))
        default:
            ChatTool(
                .function(
                    ChatTool.Function(
                        name: name("function"), description: maybe { $0.text() },
                        parameters: maybe { $0.json() }, isStrict: flip())))
        }
    }

    private mutating func messages() -> [ChatMessage] {
        var messages: [ChatMessage] = flip() ? [ChatMessage(role: .system, text: text())] : []
        var last: ChatMessage.Role?
        for _ in 0...below(7) {
            let role = ChatMessage.Role.allCases[below(ChatMessage.Role.allCases.count)]
            // Turns of the model in a row are one, and so are results.
            if role == last, role == .assistant || role == .tool { continue }
            last = role
            switch role {
            case .assistant: messages.append(ChatMessage(.assistant, answer(forReply: false)))
            case .tool: messages.append(ChatMessage(.tool, (0...below(3)).map { _ in toolResult() }))
            case .user, .system, .developer: messages.append(ChatMessage(role, said()))
            }
        }
        return messages.isEmpty ? [ChatMessage(role: .user, text: text())] : messages
    }

    private mutating func said() -> [ChatPart] {
        (0...below(3)).map { _ in
            switch below(5) {
            case 0: ChatPart(.media(image()))
            case 1: ChatPart(.media(file()))
            default: .text(text())
            }
        }
    }

    private mutating func image() -> ChatMedia {
        let detail = ["low", "high", "auto"][below(3)]
        return switch below(3) {
        case 0: ChatMedia(.image, .url("https://example.com/\(name("image"))"), detail: detail)
        case 1: ChatMedia(.image, .base64("iVBORw0KGgo="), mediaType: "image/png", detail: detail)
        default: ChatMedia(.image, .file(id: name("file")), detail: detail)
        }
    }

    private mutating func file() -> ChatMedia {
        switch below(3) {
        case 0: ChatMedia(.file, .url("https://example.com/\(name("file"))"))
        case 1: ChatMedia(.file, .base64("JVBERi0="), mediaType: "application/pdf", name: "a.pdf")
        default: ChatMedia(.file, .file(id: name("file")))
        }
    }

    private mutating func toolResult() -> ChatPart {
        let parts: [ChatPart] = flip() ? [.text(text())] : [.text(text())] + said()
        return ChatPart(.toolResult(ChatToolResult(callID: name("call"), parts: parts, isCustom: flip())))
    }

    // MARK: Answers

    /// Parts as an assembler gives them: what would be one part is none twice in a row.
    private mutating func answer(forReply isReply: Bool) -> [ChatPart] {
        var parts: [ChatPart] = []
        for _ in 0...below(6) {
            for part in step(isReply: isReply) where parts.last.map({ !Self.melts($0, part) }) ?? true {
                parts.append(part)
            }
        }
        return parts.isEmpty ? [.text(text())] : parts
    }

    private mutating func step(isReply: Bool) -> [ChatPart] {
        switch below(6) {
        case 0: [ChatPart(.refusal(text()))]
        case 1: isReply ? thoughts() : sealedThoughts()
        case 2, 3:
            [
                ChatPart(
                    .toolCall(
                        ChatToolCall(
                            id: name("call"), name: name("tool"), arguments: flip() ? #"{"a": 1}"# : text(),
                            isCustom: flip())))
            ]
        case 4:
            [
                ChatPart(
                    .opaque(
                        .openAIResponses, type: "web_search_call",
                        Self.value(
                            "{\"type\":\"web_search_call\",\"id\":\"\(name("ws"))\",\"status\":\"completed\","
                                + #""action":{"type":"search","query":"x","queries":["x"]}}"#)))
            ]
        default: [ChatPart(.text(ChatText(text(), citations: (0..<below(3)).map { _ in citation() })))]
        }
    }

    private mutating func citation() -> ChatCitation {
        ChatCitation(url: "https://example.com/\(name("page"))", title: maybe { $0.text() })
    }

    private mutating func seal() -> ChatSeal {
        ChatSeal(name("gAAAA"), origin: .openAIResponses, id: name("rs"), replacesText: true)
    }

    private mutating func thoughts() -> [ChatPart] {
        flip()
            ? sealedThoughts()
            : [ChatPart(.reasoning(ChatReasoning(text(), isSummary: flip())))]
    }

    private mutating func sealedThoughts() -> [ChatPart] {
        switch below(4) {
        case 0: [ChatPart(.reasoning(ChatReasoning("", seal: seal())))]
        case 1:
            [
                ChatPart(.reasoning(ChatReasoning(text()))),
                ChatPart(.reasoning(ChatReasoning(text(), isSummary: true, seal: seal()))),
            ]
        default: [ChatPart(.reasoning(ChatReasoning(text(), isSummary: flip(), seal: seal())))]
        }
    }

    /// Whether the two would be one part, or the second would change what the first is.
    private static func melts(_ one: ChatPart, _ other: ChatPart) -> Bool {
        switch (one.content, other.content) {
        case (.text(let text), .text): text.citations.isEmpty
        case (.refusal, .refusal): true
        case (.reasoning(let one), .reasoning(let other)):
            one.seal == nil && (!other.isSummary || one.isSummary)
        default: false
        }
    }

    mutating func reply(id: String) -> ChatReply {
        let parts = answer(forReply: true)
        let hasCalls = parts.contains { if case .toolCall = $0.content { true } else { false } }
        let reason: ChatFinish.Reason =
            switch below(6) {
            case 0: .length
            case 1: .contentFilter
            case 2: .paused
            default: hasCalls ? .toolCalls : .stop
            }
        let usage = maybe { generator in
            ChatUsage(
                input: generator.below(1000), cacheRead: generator.below(100),
                cacheWrite: generator.below(100), cacheWriteHour: generator.below(3),
                output: 1 + generator.below(1000), reasoning: generator.below(100))
        }
        return ChatReply(
            id: id, model: name("model"), parts: parts, finish: ChatFinish(reason), usage: usage)
    }
}
