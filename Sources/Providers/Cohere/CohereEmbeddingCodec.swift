package import Chat
import JSON

/// Cohere's embeddings, version 2.
package struct CohereEmbeddingCodec: EmbeddingCodec {
    package init() {}

    package var dialect: EmbeddingDialect { .cohere }

    package func encode(_ request: EmbeddingRequest, model: String) throws(UpstreamRequest.Unsayable)
        -> UpstreamRequest
    {
        guard let texts = request.texts else { throw .tokens }
        var json = JSONWriter(capacity: 1024)
        json.object { json in
            json.field("model", model)
            // It must be there.
            json.field("input_type", request.kind == .query ? "search_query" : "search_document")
            json.array("texts", texts)
            json.array("embedding_types", ["float"])
            json.field("output_dimension", ifPresent: request.dimensions)
            // A vector of half a text would look like one of the whole.
            json.field("truncate", "NONE")
        }
        return UpstreamRequest(
            path: "/v2/embed", body: json.bytes, omitted: request.user == nil ? [] : ["user"])
    }

    package func decode(_ body: [UInt8], inputCount: Int) throws(UpstreamFault) -> EmbeddingReply {
        let root = try JSONDocument(upstream: body).root
        let embeddings = root["embeddings"]
        // Models of old answer with the list itself.
        let list = embeddings?.kind == .array ? embeddings : embeddings?["float"] ?? embeddings?["base64"]
        return EmbeddingReply(
            vectors: try EmbeddingVector.read(list: list, count: inputCount),
            inputTokens: root["meta"]?["billed_units"]?["input_tokens"]?.tokenCount)
    }

    package func fault(status: Int, body: [UInt8]) -> UpstreamFault {
        CohereFault.read(status: status, body: body)
    }
}
