package import Chat
import JSON

/// OpenAI's embeddings, as many others speak them too.
package struct OpenAIEmbeddingCodec: EmbeddingCodec {
    private let quirks: OpenAIEmbeddingQuirks

    package init(_ quirks: OpenAIEmbeddingQuirks = OpenAIEmbeddingQuirks()) { self.quirks = quirks }

    package var dialect: EmbeddingDialect { .openAI }

    package func encode(_ request: EmbeddingRequest, model: String) throws(UpstreamRequest.Unsayable)
        -> UpstreamRequest
    {
        let inputs = try inputs(of: request)
        var omitted: [String] = []
        var json = JSONWriter(capacity: 1024)
        json.object { json in
            json.field("model", model)
            json.array("input") { json in
                for input in inputs {
                    switch input {
                    case .text(let text): json.value(text)
                    case .tokens(let tokens): json.array { json in for token in tokens { json.value(token) } }
                    }
                }
            }
            // Whatever the client wants to read: these are fewer bytes, and the exact ones.
            if quirks.knowsBase64 {
                json.field("encoding_format", "base64")
            } else if quirks.knowsFloat {
                json.field("encoding_format", "float")
            }
            if let dimensions = request.dimensions {
                json.key(dynamic: quirks.dimensionsField.rawValue)
                json.value(dimensions)
            }
            if let kinds = quirks.kinds, request.kind != nil || kinds.isRequired {
                json.field("input_type", request.kind == .query ? kinds.query : kinds.document)
            } else if request.kind != nil {
                omitted.append("input_type")
            }
            if quirks.takesUser {
                json.field("user", ifPresent: request.user)
            } else if request.user != nil {
                omitted.append("user")
            }
        }
        return UpstreamRequest(path: "/embeddings", body: json.bytes, omitted: omitted)
    }

    private func inputs(of request: EmbeddingRequest) throws(UpstreamRequest.Unsayable)
        -> [EmbeddingRequest.Input]
    {
        if request.texts == nil {
            guard quirks.takesTokens else { throw .tokens }
            let areAllTokens = request.inputs.allSatisfy { input in
                if case .tokens = input { true } else { false }
            }
            if !areAllTokens { throw .init("input", "must be all text or all tokens") }
        }
        return request.inputs
    }

    package func decode(_ body: [UInt8], inputCount: Int) throws(UpstreamFault) -> EmbeddingReply {
        let root = try JSONDocument(upstream: body).root
        var vectors = [[Float]?](repeating: nil, count: inputCount)
        var place = 0
        for item in root["data"]?.elements.map({ $0 }) ?? [] {
            let index = item["index"]?.int ?? place
            guard vectors.indices.contains(index), vectors[index] == nil else {
                throw .garbled("a vector for no input, or a second for one")
            }
            vectors[index] = try EmbeddingVector.read(item["embedding"])
            place += 1
        }
        let whole = vectors.compactMap { $0 }
        guard whole.count == inputCount else {
            throw .garbled("\(whole.count) vectors for \(inputCount) inputs")
        }
        let usage = root["usage"]
        return EmbeddingReply(
            model: root["model"]?.string, vectors: whole,
            inputTokens: usage?["prompt_tokens"]?.tokenCount ?? usage?["total_tokens"]?.tokenCount)
    }

    package func fault(status: Int, body: [UInt8]) -> UpstreamFault {
        OpenAIFault.read(status: status, body)
    }
}

extension UpstreamRequest.Unsayable {
    /// A format that takes text only.
    static var tokens: UpstreamRequest.Unsayable {
        .init("input", "must be text: this model does not take tokens")
    }
}
