package import Chat
import JSON

/// Google's Gemini API, as we speak it with upstreams. Whether an answer is streamed is a matter of the path.
///
/// A signature belongs to a part that is no thought: it is the seal of the thought directly before that part. One
/// whose part says nothing stands alone, and so does one with nothing behind it.
package struct GeminiCodec: ChatCodec, TokenCounting {
    package init() {}

    package var dialect: ChatDialect { .gemini }

    package func encode(_ request: ChatRequest, for target: ChatTarget) throws(UpstreamRequest.Unsayable)
        -> UpstreamRequest
    {
        var writer = GeminiRequestWriter(GeminiModel(target.model))
        try writer.write(request, for: target)
        let action = request.isStreaming ? "streamGenerateContent?alt=sse" : "generateContent"
        return UpstreamRequest(
            path: GeminiModel(target.model).path(action), body: writer.json.bytes, omitted: writer.omitted)
    }

    package func decode(_ body: [UInt8]) throws(UpstreamFault) -> ChatReply {
        var reader = GeminiReplyReader()
        var events: [ChatEvent] = []
        try reader.take(try JSONDocument(upstream: body).root, into: &events)
        try reader.end(into: &events)
        var assembler = ReplyAssembler()
        for event in events { assembler.take(event) }
        guard let reply = assembler.reply else { throw .garbled("an answer that has not ended") }
        return reply
    }

    package func streamDecoder() -> any ChatStreamDecoder { GeminiStreamDecoder() }

    package func fault(status: Int, body: [UInt8]) -> UpstreamFault {
        GeminiFault.read(status: status, body: body)
    }

    package func encodeCount(
        _ request: ChatRequest, for target: ChatTarget
    ) throws(UpstreamRequest.Unsayable) -> UpstreamRequest {
        try GeminiTokenCount.encode(request, for: target)
    }

    package func decodeCount(_ body: [UInt8]) throws(UpstreamFault) -> Int {
        try GeminiTokenCount.decode(body)
    }
}
