package import Chat
import JSON

/// Ollama's own embeddings.
package struct OllamaEmbeddingCodec: EmbeddingCodec {
    package init() {}

    package var dialect: EmbeddingDialect { .ollama }

    package func encode(_ request: EmbeddingRequest, model: String) throws(UpstreamRequest.Unsayable)
        -> UpstreamRequest
    {
        guard let texts = request.texts else { throw .tokens }
        var json = JSONWriter(capacity: 1024)
        json.object { json in
            json.field("model", model)
            json.array("input", texts)
            json.field("dimensions", ifPresent: request.dimensions)
            // A vector of half a text would look like one of the whole.
            json.field("truncate", false)
        }
        var omitted: [String] = []
        if request.user != nil { omitted.append("user") }
        if request.kind != nil { omitted.append("input_type") }
        return UpstreamRequest(path: "/api/embed", body: json.bytes, omitted: omitted)
    }

    package func decode(_ body: [UInt8], inputCount: Int) throws(UpstreamFault) -> EmbeddingReply {
        let root = try JSONDocument(upstream: body).root
        if let fault = OllamaFault.read(line: root) { throw fault }
        return EmbeddingReply(
            model: root["model"]?.string,
            vectors: try EmbeddingVector.read(list: root["embeddings"], count: inputCount),
            inputTokens: root["prompt_eval_count"]?.tokenCount)
    }

    package func fault(status: Int, body: [UInt8]) -> UpstreamFault {
        OllamaFault.read(status: status, body: body)
    }
}
