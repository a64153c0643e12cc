import Base
import Chat
import JSON

/// Writes the parts of a conversation as content blocks.
struct BedrockBlockWriter {
    let model: BedrockModel
    private var names = BedrockDocumentNames()
    /// What this model cannot be told and an answer is as good without.
    private(set) var omitted: Set<String> = []

    init(_ model: BedrockModel) { self.model = model }

    mutating func write(_ piece: AnthropicTurns.Piece, to json: inout JSONWriter) throws(UpstreamRequest
        .Unsayable)
    {
        try write(piece.part, piece.field, to: &json)
        writeCachePoint(piece.part.cache, to: &json)
    }

    /// Up to here the prompt is kept. A block of its own, behind what it is about.
    mutating func writeCachePoint(_ marker: ChatCacheMarker?, to json: inout JSONWriter) {
        guard let marker else { return }
        guard model.canCache else {
            omitted.insert("cache_control")
            return
        }
        json.object { json in
            json.object("cachePoint") { json in
                json.field("type", "default")
                json.field("ttl", ifPresent: marker.lifetime)
            }
        }
    }

    private mutating func write(
        _ part: ChatPart, _ field: String, to json: inout JSONWriter
    ) throws(UpstreamRequest.Unsayable) {
        switch part.content {
        case .text(let text): json.object { $0.field("text", text.text) }
        case .refusal(let text): json.object { $0.field("text", text) }
        case .media(let media):
            let block = try BedrockMedia(media, field)
            let name = block.block == "document" ? names.name(for: media.name) : ""
            block.write(name: name, to: &json)
        case .reasoning(let reasoning): write(reasoning, to: &json)
        case .toolCall(let call): try write(call, field, to: &json)
        case .toolResult(let result): try write(result, field, to: &json)
        case .opaque(_, _, let value): json.value(value)
        }
    }

    /// Only with a seal that this model can read: others were left out before.
    private func write(_ reasoning: ChatReasoning, to json: inout JSONWriter) {
        guard let seal = reasoning.seal else { return }
        json.object { json in
            json.object("reasoningContent") { json in
                if seal.replacesText { return json.field("redactedContent", BedrockSeal.content(of: seal)) }
                json.object("reasoningText") { json in
                    json.field("text", reasoning.text)
                    json.field("signature", seal.data)
                }
            }
        }
    }

    private func write(
        _ call: ChatToolCall, _ field: String, to json: inout JSONWriter
    ) throws(UpstreamRequest.Unsayable) {
        let input = try AnthropicBlockWriter.input(of: call, field)
        json.object { json in
            json.object("toolUse") { json in
                json.field("toolUseId", AnthropicBlockWriter.identifier(call.id))
                json.field("name", call.name)
                json.key("input")
                switch input {
                case .object(let value): json.value(value)
                case .text(let text): json.object { $0.field("input", text) }
                case .nothing: json.object { _ in }
                }
            }
        }
    }

    private mutating func write(
        _ result: ChatToolResult, _ field: String, to json: inout JSONWriter
    ) throws(UpstreamRequest.Unsayable) {
        json.openObject()
        json.key("toolResult")
        json.openObject()
        json.field("toolUseId", AnthropicBlockWriter.identifier(result.callID))
        json.key("content")
        json.openArray()
        for (index, part) in result.parts.enumerated()
        where AnthropicTurns.isSaid(part, origin: model.sealOrigin, opaque: .bedrock) {
            try write(part, "\(field).content[\(index)]", to: &json)
        }
        json.closeArray()
        if result.isError {
            if model.knowsFailure { json.field("status", "error") } else { omitted.insert("is_error") }
        }
        json.closeObject()
        json.closeObject()
    }
}
