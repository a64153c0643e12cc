package import Chat
import JSON

/// Cohere's chat, version 2.
package struct CohereCodec: ChatCodec {
    package init() {}

    package var dialect: ChatDialect { .cohere }

    package func encode(_ request: ChatRequest, for target: ChatTarget) throws(UpstreamRequest.Unsayable)
        -> UpstreamRequest
    {
        var writer = CohereRequestWriter(request)
        try writer.write(model: target.model)
        return UpstreamRequest(path: "/v2/chat", body: writer.json.bytes, omitted: writer.omitted)
    }

    package func decode(_ body: [UInt8]) throws(UpstreamFault) -> ChatReply {
        try CohereReply.read(JSONDocument(upstream: body).root)
    }

    package func streamDecoder() -> any ChatStreamDecoder { CohereStreamDecoder() }

    package func fault(status: Int, body: [UInt8]) -> UpstreamFault {
        CohereFault.read(status: status, body: body)
    }
}
