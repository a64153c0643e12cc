import Base
import Chat
import JSON

/// Conversations that the Gemini API can say, and answers of it, made from a seed.
struct GeminiGenerator {
    private var generator: SeededGenerator

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    mutating func below(_ bound: Int) -> Int { Int(generator.next() % UInt64(bound)) }
    mutating func flip() -> Bool { generator.next() & 1 == 0 }
    mutating func maybe<Value>(_ make: (inout Self) -> Value) -> Value? { flip() ? make(&self) : nil }
    mutating func name(_ kind: String) -> String { "\(kind)_\(generator.next() % 1_000_000)" }

    mutating func text() -> String {
        let words = ["a", "Grüße", "\"quoted\"", "\\", "line\r\nbreak", "😀", "[1]", "data: x", "\u{7}"]
        return (0...below(4)).map { _ in words[below(words.count)] }.joined(separator: " ")
    }

    private static func value(_ text: String) -> JSONValue {
        do { return try JSONDocument(parsing: Array(text.utf8)).root } catch {
            preconditionFailure("\(text): \(error)")
        }
    }

    private static let schema = value(#"{"type":"object","properties":{"a":{"type":"string"}}}"#)

    // MARK: Requests

    mutating func request() -> ChatRequest {
        var request = ChatRequest(model: "gemini-2.5-flash", messages: messages())
        request.tools = (0..<below(3)).map { _ in
            ChatTool(
                .function(
                    ChatTool.Function(
                        name: name("function"), description: maybe { $0.text() },
                        parameters: maybe { _ in Self.schema })))
        }
        let names = request.tools.compactMap(\.name)
        if flip() {
            request.tools.append(
                ChatTool(.provided(.gemini, type: "googleSearch", Self.value(#"{"googleSearch":{}}"#))))
        }
        request.toolChoice = maybe { generator in
            switch generator.below(names.isEmpty ? 3 : 4) {
            case 0: .auto
            case 1: ChatToolChoice.none
            case 2: .required
            default: .tool(name: names[generator.below(names.count)])
            }
        }
        switch below(3) {
        case 0: request.output = .json
        case 1: request.output = .schema(ChatOutputFormat.Schema(name: "", schema: Self.schema))
        default: break
        }
        request.sampling.maximumTokens = maybe { $0.below(5000) + 1 }
        request.sampling.temperature = maybe { Double($0.below(200)) / 100 }
        request.sampling.topP = maybe { Double($0.below(100)) / 100 }
        request.sampling.topK = maybe { $0.below(40) + 1 }
        request.sampling.frequencyPenalty = maybe { Double($0.below(200)) / 100 }
        request.sampling.presencePenalty = maybe { Double($0.below(200)) / 100 }
        request.sampling.seed = maybe { $0.below(1000) }
        request.sampling.stop = (0..<below(3)).map { _ in text() }
        request.reasoning = maybe { generator in
            ChatReasoningOptions(
                [.off, .tokens(1 + generator.below(9000)), .adaptive][generator.below(3)],
                summary: generator.maybe { $0.flip() ? .auto : ChatReasoningOptions.Summary.none })
        }
        request.isStreaming = flip()
        return request
    }

    private mutating func messages() -> [ChatMessage] {
        var messages = (0..<below(3)).map { _ in ChatMessage(role: .system, text: text()) }
        messages.append(ChatMessage(.user, [.text(text())]))
        for _ in 0..<below(4) {
            let answer = answer()
            messages.append(ChatMessage(.assistant, answer))
            let calls = answer.compactMap { part -> ChatToolCall? in
                if case .toolCall(let call) = part.content { call } else { nil }
            }
            if !calls.isEmpty {
                messages.append(
                    ChatMessage(
                        .tool,
                        calls.map { call in
                            ChatPart(
                                .toolResult(
                                    ChatToolResult(
                                        callID: call.id, parts: [.text(flip() ? text() : #"{"x": [1]}"#)],
                                        isError: flip())))
                        }))
            }
            messages.append(ChatMessage(.user, (0...below(2)).map { _ in flip() ? .text(text()) : media() }))
        }
        return messages
    }

    private mutating func media() -> ChatPart {
        let type = ["image/png", "audio/wav", "video/mp4", "application/pdf"][below(4)]
        let kind: ChatMedia.Kind =
            switch type {
            case "image/png": .image
            case "audio/wav": .audio
            case "video/mp4": .video
            default: .file
            }
        let source: ChatMedia.Source = flip() ? .base64("AAAA") : .url("https://example.com/\(name("file"))")
        return ChatPart(.media(ChatMedia(kind, source, mediaType: type)))
    }

    private mutating func answer() -> [ChatPart] {
        var parts: [ChatPart] = []
        for _ in 0...below(4) {
            switch below(4) {
            case 0:
                parts.append(
                    ChatPart(
                        .toolCall(
                            ChatToolCall(id: name("call"), name: name("tool"), arguments: #"{"a": "ü"}"#))))
            case 1:
                let seal = ChatSeal(name("sig"), origin: .gemini, replacesText: flip())
                // Without words nothing is a summary of anything.
                let thought = seal.replacesText || flip() ? text() : ""
                parts.append(
                    ChatPart(.reasoning(ChatReasoning(thought, isSummary: !thought.isEmpty, seal: seal))))
            case 2:
                parts.append(
                    ChatPart(
                        .opaque(
                            .gemini, type: "executableCode",
                            Self.value(#"{"executableCode":{"language":"PYTHON","code":"1"}}"#))))
            default: parts.append(.text(text()))
            }
        }
        return parts
    }

    // MARK: Answers

    /// Parts of an answer as Gemini sends them, of which none is left out when they are sent back; the text of each is
    /// more than the one before unless it is signed.
    mutating func parts() -> [String] {
        var parts: [String] = []
        var last = ""
        for _ in 0...below(7) {
            let signature = #","thoughtSignature":"\#(name("sig"))""#
            var (kind, part) = ("", "")
            switch below(6) {
            case 0: (kind, part) = ("text", "{\"text\":\(quoted(text())),\"x\":0\(signature)}")
            case 1 where last != "text" && last != "empty":
                (kind, part) = ("text", "{\"text\":\(quoted(text())),\"x\":0}")
            case 2 where last != "empty": (kind, part) = ("empty", "{\"text\":\"\"\(signature)}")
            case 3:
                let call =
                    "\"functionCall\":{\"id\":\"\(name("call"))\",\"name\":\"f\",\"args\":{\"a\":[1,{}]}}"
                (kind, part) = ("call", "{\(call)\(flip() ? signature : "")}")
            case 4:
                let code = #""executableCode":{"language":"PYTHON","code":"1"}"#
                (kind, part) = ("code", "{\(code)\(flip() ? signature : "")}")
            case 5:
                (kind, part) = ("thought", "{\"text\":\(quoted(text())),\"thought\":true\(signature)}")
            default: continue
            }
            // An unsigned text goes on with what an empty one has signed.
            if last == "empty", kind == "text", !part.contains("thoughtSignature") { continue }
            parts.append(part.replacing(",\"x\":0", with: ""))
            last = kind
        }
        return parts
    }

    /// A thought that is only shown, and so kept only with a signature directly behind it.
    mutating func thought() -> String { "{\"text\":\(quoted(text())),\"thought\":true}" }

    private func quoted(_ text: String) -> String {
        var json = JSONWriter()
        json.value(text)
        return String(decoding: json.bytes, as: UTF8.self)
    }
}
