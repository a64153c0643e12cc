import Chat
import JSON
import Testing

/// What a reply of the Messages API says, for comparing what a codec made of it with what its bytes say.
struct ToldByAnthropic: Equatable {
    var id: String?
    var model: String?
    var text = ""
    var citations: [String] = []
    /// Identifier, name and canonical arguments of each call.
    var calls: [[String]] = []
    var thoughts = ""
    var seals: [String] = []
    /// In canonical form.
    var opaque: [String] = []
    var stopReason: String?
    var stopSequence: String?
    /// All that was read afresh, read from the cache, kept for minutes, kept for an hour; answered and thought.
    var usage: [String: Int] = [:]

    init() {}

    init(_ reply: ChatReply) throws {
        id = reply.id
        model = reply.model
        text = reply.text
        for part in reply.parts {
            switch part.content {
            case .text(let text): citations += text.citations.map { "\($0.url) \($0.quote ?? "")" }
            case .reasoning(let reasoning):
                thoughts += reasoning.text
                if let seal = reasoning.seal {
                    #expect(seal.origin == .anthropic)
                    seals.append("\(seal.replacesText ? "redacted " : "")\(seal.data)")
                }
            case .toolCall(let call): calls.append([call.id, call.name, Self.canonical(call.arguments)])
            case .opaque(let dialect, let type, let value):
                #expect(dialect == .anthropic && value["type"]?.string == type)
                opaque.append(Self.canonical(value))
            case .refusal, .media, .toolResult: Issue.record("no such part comes from Anthropic")
            }
        }
        stopReason = Self.words[reply.finish.reason]
        stopSequence = reply.finish.stopSequence
        let used = try #require(reply.usage)
        usage = [
            "input": used.input, "read": used.cacheRead, "written": used.cacheWrite,
            "hour": used.cacheWriteHour, "answered": used.output, "thought": used.reasoning,
        ]
    }

    static let words: [ChatFinish.Reason: String] = [
        .stop: "stop", .length: "length", .toolCalls: "calls", .contentFilter: "filter", .paused: "paused",
    ]

    static func word(_ stopReason: String?) -> String {
        switch stopReason {
        case "max_tokens", "model_context_window_exceeded": "length"
        case "tool_use": "calls"
        case "refusal": "filter"
        case "pause_turn", "compaction": "paused"
        default: "stop"
        }
    }

    static func canonical(_ value: JSONValue) -> String {
        String(decoding: value.canonical(), as: UTF8.self)
    }

    /// Broken arguments stay as they are.
    static func canonical(_ text: String) -> String {
        (try? JSONDocument(parsing: Array(text.utf8))).map { canonical($0.root) } ?? text
    }

    // MARK: From the bytes

    /// A message as it stands in an answer.
    init(message: JSONValue) throws {
        id = message["id"]?.string
        model = message["model"]?.string
        for block in try #require(message["content"]).elements { try take(block) }
        stopReason = Self.word(message["stop_reason"]?.string)
        stopSequence = message["stop_sequence"]?.string
        usage = Self.counts([try #require(message["usage"])])
    }

    mutating func take(_ block: JSONValue) throws {
        switch block["type"]?.string {
        case "text":
            text += try #require(block["text"]?.string)
            for citation in block["citations"]?.elements.map({ $0 }) ?? [] { try take(citation: citation) }
        case "thinking":
            thoughts += try #require(block["thinking"]?.string)
            if let signature = block["signature"]?.string, signature != "" { seals.append(signature) }
        case "redacted_thinking": seals.append("redacted \(try #require(block["data"]?.string))")
        case "tool_use":
            calls.append([
                try #require(block["id"]?.string), try #require(block["name"]?.string),
                Self.canonical(try #require(block["input"])),
            ])
        default: opaque.append(Self.canonical(block))
        }
    }

    mutating func take(citation: JSONValue) throws {
        guard let url = citation["url"]?.string else { return }
        citations.append("\(url) \(citation["cited_text"]?.string ?? "")")
    }

    /// Of usages of which the later ones replace what they name.
    static func counts(_ usages: [JSONValue]) -> [String: Int] {
        func last(_ find: (JSONValue) -> JSONValue?) -> Int { usages.compactMap { find($0)?.int }.last ?? 0 }
        let hour = last { $0["cache_creation"]?["ephemeral_1h_input_tokens"] }
        let thought = last { $0["output_tokens_details"]?["thinking_tokens"] }
        return [
            "input": last { $0["input_tokens"] }, "read": last { $0["cache_read_input_tokens"] },
            "written": last { $0["cache_creation_input_tokens"] } - hour, "hour": hour,
            "answered": last { $0["output_tokens"] } - thought, "thought": thought,
        ]
    }

    /// The events of a stream, added up.
    init(stream: [UInt8]) throws {
        var usages: [JSONValue] = []
        var starts: [Int: JSONValue] = [:]
        var pieces: [Int: [JSONValue]] = [:]
        for event in try Self.events(stream) {
            switch event["type"]?.string {
            case "message_start":
                id = event["message"]?["id"]?.string
                model = event["message"]?["model"]?.string
                usages.append(try #require(event["message"]?["usage"]))
            case "content_block_start":
                starts[try #require(event["index"]?.int)] = event["content_block"]
            case "content_block_delta":
                pieces[try #require(event["index"]?.int), default: []].append(try #require(event["delta"]))
            case "message_delta":
                stopReason = Self.word(event["delta"]?["stop_reason"]?.string)
                stopSequence = event["delta"]?["stop_sequence"]?.string
                if let usage = event["usage"] { usages.append(usage) }
            default: break
            }
        }
        for index in starts.keys.sorted() {
            try take(try #require(starts[index]), pieces: pieces[index] ?? [])
        }
        usage = Self.counts(usages)
    }

    static func events(_ stream: [UInt8]) throws -> [JSONValue] {
        try String(decoding: stream, as: UTF8.self).split(separator: "\n")
            .filter { $0.hasPrefix("data:") }
            .map { try JSONDocument(parsing: Array($0.dropFirst(5).utf8)).root }
    }

    private mutating func take(_ start: JSONValue, pieces: [JSONValue]) throws {
        func joined(_ key: StaticString) -> String { pieces.compactMap { $0[key]?.string }.joined() }
        switch start["type"]?.string {
        case "text":
            text += joined("text")
            for citation in pieces.compactMap({ $0["citation"] }) { try take(citation: citation) }
        case "thinking":
            thoughts += joined("thinking")
            if joined("signature") != "" { seals.append(joined("signature")) }
        case "tool_use":
            let input = joined("partial_json")
            calls.append([
                try #require(start["id"]?.string), try #require(start["name"]?.string),
                Self.canonical(input.isEmpty ? "{}" : input),
            ])
        case "redacted_thinking": try take(start)
        default: opaque.append(try Self.assembled(start, pieces))
        }
    }

    /// The block with what its pieces have given it.
    private static func assembled(_ start: JSONValue, _ pieces: [JSONValue]) throws -> String {
        var document = try JSONDocument(parsing: Array(start.bytes))
        let input = pieces.compactMap { $0["partial_json"]?.string }.joined()
        if !input.isEmpty {
            document = try JSONDocument(parsing: document.patched([.set(["input"], Array(input.utf8))]))
        }
        for piece in pieces {
            for member in piece.members where !(member.key == "type") && !(member.key == "partial_json") {
                document = try JSONDocument(
                    parsing: document.patched([.set([.key(member.key.string)], Array(member.value.bytes))]))
            }
        }
        return canonical(document.root)
    }
}
