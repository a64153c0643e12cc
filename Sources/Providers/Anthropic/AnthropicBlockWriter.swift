import Base
import Chat
import JSON

/// Writes the parts of a conversation as content blocks.
struct AnthropicBlockWriter {
    /// Whether a file is named that the provider keeps, which is still a feature to be asked for.
    private(set) var usesFiles = false

    mutating func write(_ piece: AnthropicTurns.Piece, to json: inout JSONWriter) throws(UpstreamRequest
        .Unsayable)
    {
        try write(piece.part, piece.field, to: &json)
    }

    private mutating func write(
        _ part: ChatPart, _ field: String, to json: inout JSONWriter
    ) throws(UpstreamRequest.Unsayable) {
        switch part.content {
        case .text(let text): write(text: text.text, part.cache, to: &json)
        case .refusal(let text): write(text: text, part.cache, to: &json)
        case .media(let media): try write(media, part.cache, field, to: &json)
        case .reasoning(let reasoning): write(reasoning, to: &json)
        case .toolCall(let call): try write(call, part.cache, field, to: &json)
        case .toolResult(let result): try write(result, part.cache, field, to: &json)
        case .opaque(_, _, let value): json.value(value)
        }
    }

    private func write(text: String, _ cache: ChatCacheMarker?, to json: inout JSONWriter) {
        json.object { json in
            json.field("type", "text")
            json.field("text", text)
            AnthropicCacheControl.write(cache, to: &json)
        }
    }

    /// Only with a seal of this dialect: others were left out before.
    private func write(_ reasoning: ChatReasoning, to json: inout JSONWriter) {
        guard let seal = reasoning.seal else { return }
        json.object { json in
            if seal.replacesText {
                json.field("type", "redacted_thinking")
                json.field("data", seal.data)
            } else {
                json.field("type", "thinking")
                json.field("thinking", reasoning.text)
                json.field("signature", seal.data)
            }
        }
    }

    // MARK: Tools

    private func write(
        _ call: ChatToolCall, _ cache: ChatCacheMarker?, _ field: String, to json: inout JSONWriter
    ) throws(UpstreamRequest.Unsayable) {
        let input = try Self.input(of: call, field)
        json.object { json in
            json.field("type", "tool_use")
            json.field("id", Self.identifier(call.id))
            json.field("name", call.name)
            json.key("input")
            switch input {
            case .object(let value): json.value(value)
            case .text(let text): json.object { $0.field("input", text) }
            case .nothing: json.object { _ in }
            }
            AnthropicCacheControl.write(cache, to: &json)
        }
    }

    enum Input {
        case nothing
        case object(JSONValue)
        /// Of a tool that takes text, which is offered as one that takes an object with that text.
        case text(String)
    }

    static func input(of call: ChatToolCall, _ field: String) throws(UpstreamRequest.Unsayable) -> Input {
        if call.isCustom { return .text(call.arguments) }
        if call.arguments.allSatisfy(\.isWhitespace) { return .nothing }
        guard let value = try? JSONDocument(parsing: Array(call.arguments.utf8)).root, value.kind == .object
        else {
            throw UpstreamRequest.Unsayable(
                field, "the arguments of a call must be a JSON object for this model")
        }
        return .object(value)
    }

    /// Other providers' identifiers may hold what Anthropic refuses. Call and result change alike.
    static func identifier(_ id: String) -> String {
        let isFine = id.utf8.allSatisfy(isAllowed)
        if isFine { return id }
        return String(decoding: id.utf8.map { isAllowed($0) ? $0 : 0x5F }, as: UTF8.self)
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x2D: true
        default: false
        }
    }

    private mutating func write(
        _ result: ChatToolResult, _ cache: ChatCacheMarker?, _ field: String, to json: inout JSONWriter
    ) throws(UpstreamRequest.Unsayable) {
        json.openObject()
        json.field("type", "tool_result")
        json.field("tool_use_id", Self.identifier(result.callID))
        let parts = result.parts.enumerated().filter {
            AnthropicTurns.isSaid($0.element, origin: .anthropic, opaque: .anthropic)
        }
        if !parts.isEmpty {
            json.key("content")
            json.openArray()
            for (index, part) in parts { try write(part, "\(field).content[\(index)]", to: &json) }
            json.closeArray()
        }
        if result.isError { json.field("is_error", true) }
        AnthropicCacheControl.write(cache, to: &json)
        json.closeObject()
    }

    // MARK: Media

    private mutating func write(
        _ media: ChatMedia, _ cache: ChatCacheMarker?, _ field: String, to json: inout JSONWriter
    ) throws(UpstreamRequest.Unsayable) {
        let source = try AnthropicSource(media, field)
        if case .file = source.kind { usesFiles = true }
        json.object { json in
            json.field("type", source.isImage ? "image" : "document")
            json.object("source") { source.write(to: &$0) }
            if !source.isImage { json.field("title", ifPresent: media.name) }
            AnthropicCacheControl.write(cache, to: &json)
        }
    }
}
