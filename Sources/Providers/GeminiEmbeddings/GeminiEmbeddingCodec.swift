package import Chat
import HTTPWire
import JSON

/// Gemini's embeddings.
package struct GeminiEmbeddingCodec: EmbeddingCodec {
    package init() {}

    package var dialect: EmbeddingDialect { .gemini }

    package func encode(_ request: EmbeddingRequest, model: String) throws(UpstreamRequest.Unsayable)
        -> UpstreamRequest
    {
        guard let texts = request.texts else { throw .tokens }
        var json = JSONWriter(capacity: 1024)
        json.object { json in
            json.array("requests") { json in
                for text in texts {
                    json.object { json in
                        json.field("model", "models/\(model)")
                        json.object("content") { json in
                            json.array("parts") { json in
                                json.object { $0.field("text", text) }
                            }
                        }
                        if let kind = request.kind {
                            json.field(
                                "taskType", kind == .query ? "RETRIEVAL_QUERY" : "RETRIEVAL_DOCUMENT")
                        }
                        json.field("outputDimensionality", ifPresent: request.dimensions)
                    }
                }
            }
        }
        return UpstreamRequest(
            path: "/v1beta/models/\(PercentCoding.encode(model)):batchEmbedContents", body: json.bytes,
            omitted: request.user == nil ? [] : ["user"])
    }

    package func decode(_ body: [UInt8], inputCount: Int) throws(UpstreamFault) -> EmbeddingReply {
        let root = try JSONDocument(upstream: body).root
        var vectors: [[Float]] = []
        for embedding in root["embeddings"]?.elements.map({ $0 }) ?? [] {
            vectors.append(try EmbeddingVector.read(embedding["values"]))
        }
        guard vectors.count == inputCount else {
            throw .garbled("\(vectors.count) vectors for \(inputCount) inputs")
        }
        return EmbeddingReply(
            vectors: vectors, inputTokens: root["usageMetadata"]?["promptTokenCount"]?.tokenCount)
    }

    package func fault(status: Int, body: [UInt8]) -> UpstreamFault {
        let error = (try? JSONDocument(parsing: body))?["error"]
        let message = error?["message"]?.string
        var kind = UpstreamFault.kind(ofStatus: status)
        // A key that is none is answered as if the request were at fault.
        if status == 400, message?.hasPrefix("API key") == true { kind = .unauthenticated }
        return UpstreamFault(
            kind, status: status, message ?? "The provider answered \(status) and did not say why.",
            code: error?["status"]?.string)
    }
}
