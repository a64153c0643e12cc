package import Chat
import JSON

/// Ollama's own chat.
package struct OllamaCodec: ChatCodec {
    /// The number of the next call. Calls have no names in this format, so they get one: `call_<number>`.
    private let firstCall: Int

    /// For an answer that stands alone: its calls are named from `call_0` on.
    package init() { firstCall = 0 }

    private init(firstCall: Int) { self.firstCall = firstCall }

    /// The names of the answer's calls are none that the conversation has already.
    package func codec(for target: ChatTarget, answering request: ChatRequest) -> any ChatCodec {
        OllamaCodec(firstCall: OllamaCallNames.next(in: request.messages))
    }

    package var dialect: ChatDialect { .ollama }

    package func encode(_ request: ChatRequest, for target: ChatTarget) throws(UpstreamRequest.Unsayable)
        -> UpstreamRequest
    {
        var writer = OllamaRequestWriter(request)
        try writer.write(model: target.model)
        return UpstreamRequest(path: "/api/chat", body: writer.json.bytes, omitted: writer.omitted)
    }

    package func decode(_ body: [UInt8]) throws(UpstreamFault) -> ChatReply {
        var reader = OllamaReplyReader(firstCall: firstCall)
        var events: [ChatEvent] = []
        try reader.take(JSONDocument(upstream: body).root, into: &events)
        guard reader.isOver else { throw .garbled("an answer that is not done") }
        var assembler = ReplyAssembler()
        for event in events { assembler.take(event) }
        guard let reply = assembler.reply else { throw .garbled("an answer without an end") }
        return reply
    }

    package func streamDecoder() -> any ChatStreamDecoder { OllamaStreamDecoder(firstCall: firstCall) }

    package func fault(status: Int, body: [UInt8]) -> UpstreamFault {
        OllamaFault.read(status: status, body: body)
    }
}
