import Chat
import Foundation
import JSON
import TestKit
import Testing

@testable import Providers

/// Recorded exchanges, walked on a way of their own.
@Suite(.enabled(if: RecordedExchange.areThere))
struct RecordedEmbeddingTests {
    private static func object(_ bytes: [UInt8]) throws -> [String: Any] {
        let object = try JSONSerialization.jsonObject(with: Data(bytes))
        return try #require(object as? [String: Any])
    }

    private static func floats(_ numbers: Any?) throws -> [Float] {
        try #require(numbers as? [Double]).map { Float($0) }
    }

    private static func floats(base64 text: Any?) throws -> [Float] {
        let text = try #require(text as? String)
        let data = try #require(Data(base64Encoded: text))
        return stride(from: 0, to: data.count, by: 4).map { place in
            let bits = data[place..<(place + 4)].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            return Float(bitPattern: bits)
        }
    }

    @Test(arguments: RecordedExchange.all("openai_v1_embeddings_200"))
    func `what OpenAI answered is read, and told to our clients in both ways`(exchange: RecordedExchange)
        throws
    {
        let recorded = try Self.object(exchange.responseBody)
        let data = try #require(recorded["data"] as? [[String: Any]])
        let vectors = try data.map { try Self.floats(base64: $0["embedding"]) }
        let usage = try #require(recorded["usage"] as? [String: Int])
        let reply = try OpenAIEmbeddingCodec().decode(exchange.responseBody, inputCount: data.count)
        #expect(reply.vectors == vectors)
        #expect(reply.model == recorded["model"] as? String)
        #expect(reply.inputTokens == usage["prompt_tokens"])
        let front = OpenAIEmbeddingFront()
        var request = try front.request(JSONDocument(parsing: exchange.requestBody))
        #expect(request.encoding == .base64)
        let told =
            try JSONSerialization.jsonObject(with: Data(front.body(reply, to: request))) as? NSDictionary
        #expect(told == recorded as NSDictionary)
        request.encoding = .float
        let numbers = try Self.object(front.body(reply, to: request))
        let list = try #require(numbers["data"] as? [[String: Any]])
        #expect(try list.map { try Self.floats($0["embedding"]) } == vectors)
    }

    @Test(arguments: RecordedExchange.all("openai_v1_embeddings_200"))
    func `what OpenAI was asked is asked again`(exchange: RecordedExchange) throws {
        let request = try OpenAIEmbeddingFront().request(JSONDocument(parsing: exchange.requestBody))
        let written = try OpenAIEmbeddingCodec().encode(request, model: request.model)
        #expect(
            try Self.object(written.body) as NSDictionary == Self.object(exchange.requestBody) as NSDictionary
        )
        #expect(exchange.uri.hasSuffix("/v1" + written.path))
    }

    @Test(arguments: RecordedExchange.all("cohere_v2_embed_200"))
    func `what Cohere was asked and answered is asked and read`(exchange: RecordedExchange) throws {
        var asked = try Self.object(exchange.requestBody)
        let texts = try #require(asked["texts"] as? [String])
        var request = EmbeddingRequest(
            model: try #require(asked["model"] as? String), inputs: texts.map { .text($0) })
        request.kind = asked["input_type"] as? String == "search_query" ? .query : .document
        let written = try CohereEmbeddingCodec().encode(request, model: request.model)
        var asking = try Self.object(written.body)
        for name in ["max_tokens", "output_dimension"] where asked[name] is NSNull { asked[name] = nil }
        // Some ask for texts to be cut; we never do.
        #expect(asking["truncate"] as? String == "NONE")
        (asked["truncate"], asking["truncate"]) = (nil, nil)
        #expect(asked as NSDictionary == asking as NSDictionary)
        #expect(exchange.uri.hasSuffix(written.path))
        let recorded = try Self.object(exchange.responseBody)
        let vectors = try #require((recorded["embeddings"] as? [String: [[Double]]])?["float"])
        let meta = recorded["meta"] as? [String: Any]
        let reply = try CohereEmbeddingCodec().decode(exchange.responseBody, inputCount: texts.count)
        #expect(reply.vectors == vectors.map { $0.map { Float($0) } })
        #expect(reply.inputTokens == (meta?["billed_units"] as? [String: Int])?["input_tokens"])
    }

    @Test(arguments: RecordedExchange.all("gemini_v1beta_models_x_batchembedcontents_200"))
    func `what Gemini was asked and answered is asked and read`(exchange: RecordedExchange) throws {
        let asked = try JSONDocument(parsing: exchange.requestBody)
        let first = try #require(asked["requests"]?.element(0))
        let model = try #require(first["model"]?.string).dropFirst("models/".count)
        var request = EmbeddingRequest(
            model: "m",
            inputs: asked["requests"]?.elements.compactMap { item in
                item["content"]?["parts"]?.element(0)?["text"]?.string.map { .text($0) }
            } ?? [])
        request.dimensions = first["outputDimensionality"]?.int
        request.kind = first["taskType"]?.string.map { $0 == "RETRIEVAL_QUERY" ? .query : .document }
        let written = try GeminiEmbeddingCodec().encode(request, model: String(model))
        #expect(try JSONDocument(parsing: written.body).root == asked.root)
        #expect(exchange.uri.hasSuffix(written.path))
        let recorded = try Self.object(exchange.responseBody)
        let embeddings = try #require(recorded["embeddings"] as? [[String: Any]])
        let reply = try GeminiEmbeddingCodec().decode(
            exchange.responseBody, inputCount: request.inputs.count)
        #expect(reply.vectors == (try embeddings.map { try Self.floats($0["values"]) }))
        #expect(
            reply.inputTokens
                == (recorded["usageMetadata"] as? [String: Any])?["promptTokenCount"] as? Int)
    }

    @Test(
        arguments: RecordedExchange.all(
            "openai_v1_embeddings_404", "cohere_v2_embed_404",
            "gemini_v1beta_models_x_batchembedcontents_404"))
    func `a model that is not there is known as that, in the provider's words`(exchange: RecordedExchange)
        throws
    {
        let recorded = try Self.object(exchange.responseBody)
        let error = recorded["error"] as? [String: Any] ?? recorded
        let codecs: [String: any EmbeddingCodec] = [
            "openai": OpenAIEmbeddingCodec(), "cohere": CohereEmbeddingCodec(),
            "gemini": GeminiEmbeddingCodec(),
        ]
        let codec = try #require(codecs[String(exchange.name.prefix { $0 != "_" })])
        let fault = codec.fault(status: exchange.status, body: exchange.responseBody)
        #expect(fault.kind == .notFound)
        #expect(fault.message == error["message"] as? String)
        #expect(fault.code == (error["code"] as? String ?? error["status"] as? String))
    }
}
