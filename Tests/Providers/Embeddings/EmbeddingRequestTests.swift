import Base
import Chat
import JSON
import Providers
import Testing

struct EmbeddingRequestTests {
    private let front = OpenAIEmbeddingFront()

    private func request(_ text: String) throws -> EmbeddingRequest {
        try front.request(JSONDocument(parsing: Array(text.utf8)))
    }

    private func fault(_ text: String) throws -> Problem? {
        let document = try JSONDocument(parsing: Array(text.utf8))
        do throws(Problem) {
            _ = try front.request(document)
            return nil
        } catch { return error }
    }

    @Test func `a text, a list of texts, tokens and lists of tokens can be asked for`() throws {
        #expect(try request(#"{"model":"m","input":"a"}"#).inputs == [.text("a")])
        #expect(try request(#"{"model":"m","input":["a","b"]}"#).inputs == [.text("a"), .text("b")])
        #expect(try request(#"{"model":"m","input":[1,2]}"#).inputs == [.tokens([1, 2])])
        #expect(
            try request(#"{"model":"m","input":[[1,2],[3]]}"#).inputs == [.tokens([1, 2]), .tokens([3])])
        let whole = try request(
            #"{"model":"m","input":"a","encoding_format":"base64","dimensions":8,"user":"u","input_type":"query"}"#
        )
        #expect(
            whole.encoding == .base64 && whole.dimensions == 8 && whole.user == "u" && whole.kind == .query)
        #expect(try request(#"{"model":"m","input":"a","encoding_format":null}"#).encoding == .float)
    }

    @Test(arguments: [
        (#"{"model":"m"}"#, "input"), (#"{"model":"m","input":[]}"#, "input"),
        (#"{"model":"m","input":""}"#, "input"), (#"{"model":"m","input":{}}"#, "input"),
        (#"{"model":"m","input":["a",1]}"#, "input[1]"), (#"{"model":"m","input":[1,"a"]}"#, "input"),
        (#"{"model":"m","input":[[1],[]]}"#, "input[1]"), (#"{"model":"m","input":[1,-1]}"#, "input"),
        (#"{"model":"m","input":[1.5]}"#, "input"), (#"{"input":"a"}"#, "model"),
        (#"{"model":"m","input":"a","encoding_format":"hex"}"#, "encoding_format"),
        (#"{"model":"m","input":"a","dimensions":0}"#, "dimensions"),
        (#"{"model":"m","input":"a","input_type":"x"}"#, "input_type"),
    ])
    func `what is wrong is named`(text: String, field: String) throws {
        #expect(try fault(text)?.field == field)
        #expect(try fault(text)?.kind == .invalidRequest)
    }

    @Test func `there is an end to how much can be asked for at once`() throws {
        let texts = Array(repeating: "\"a\"", count: EmbeddingRequest.largestInputCount)
        #expect(try fault(#"{"model":"m","input":["# + texts.joined(separator: ",") + "]}") == nil)
        let more = texts + ["\"a\""]
        #expect(try fault(#"{"model":"m","input":["# + more.joined(separator: ",") + "]}")?.field == "input")
    }

    // MARK: What providers are asked

    private func tokens() -> EmbeddingRequest { EmbeddingRequest(model: "m", inputs: [.tokens([1, 2])]) }

    private func body(_ codec: any EmbeddingCodec, _ request: EmbeddingRequest) throws -> JSONDocument {
        try JSONDocument(parsing: codec.encode(request, model: "theirs").body)
    }

    @Test func `a model that takes text only says so`() throws {
        let voyage = try #require(ProviderPreset.named("voyage")).embeddingQuirks
        let codecs: [any EmbeddingCodec] = [
            CohereEmbeddingCodec(), GeminiEmbeddingCodec(), OllamaEmbeddingCodec(),
            OpenAIEmbeddingCodec(voyage),
        ]
        for codec in codecs {
            let error = #expect(throws: UpstreamRequest.Unsayable.self) {
                try codec.encode(tokens(), model: "m")
            }
            #expect(error?.field == "input")
        }
        let sent = try body(OpenAIEmbeddingCodec(), tokens())
        #expect(sent["input"]?.element(0)?.element(1)?.int == 2)
    }

    @Test func `servers are asked in their own words`() throws {
        var request = EmbeddingRequest(model: "m", inputs: [.text("a"), .text("b")])
        request.dimensions = 8
        request.user = "u"
        request.kind = .query
        let voyage = OpenAIEmbeddingCodec(try #require(ProviderPreset.named("voyage")).embeddingQuirks)
        let toVoyage = try body(voyage, request)
        #expect(toVoyage["output_dimension"]?.int == 8 && toVoyage["dimensions"] == nil)
        #expect(toVoyage["input_type"]?.string == "query")
        #expect(toVoyage["user"] == nil)
        #expect(try voyage.encode(request, model: "m").omitted == ["user"])
        let nvidia = OpenAIEmbeddingCodec(try #require(ProviderPreset.named("nvidia")).embeddingQuirks)
        request.kind = nil
        #expect(try body(nvidia, request)["input_type"]?.string == "passage")
        #expect(try body(OpenAIEmbeddingCodec(), request)["input_type"] == nil)
        let toOllama = try body(OllamaEmbeddingCodec(), request)
        #expect(toOllama["input"]?.elements.compactMap(\.string) == ["a", "b"])
        #expect(toOllama["dimensions"]?.int == 8)
        #expect(toOllama["truncate"]?.bool == false)
        let path = try GeminiEmbeddingCodec().encode(request, model: "a/../b?c").path
        #expect(path == "/v1beta/models/a%2F..%2Fb%3Fc:batchEmbedContents")
    }

    // MARK: What providers answer

    @Test func `vectors are in the order of their inputs`() throws {
        let body =
            #"{"data":[{"index":1,"embedding":[2]},{"index":0,"embedding":"AACAPw=="}],"usage":{"total_tokens":3}}"#
        let reply = try OpenAIEmbeddingCodec().decode(Array(body.utf8), inputCount: 2)
        #expect(reply.vectors == [[1], [2]])
        #expect(reply.inputTokens == 3)
        let ollama = #"{"model":"x","embeddings":[[1,2],[3,4]],"prompt_eval_count":5}"#
        #expect(
            try OllamaEmbeddingCodec().decode(Array(ollama.utf8), inputCount: 2)
                == EmbeddingReply(model: "x", vectors: [[1, 2], [3, 4]], inputTokens: 5))
    }

    @Test func `a vector too few or too many is garbled`() {
        let bodies: [(any EmbeddingCodec, String)] = [
            (OpenAIEmbeddingCodec(), #"{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[2]}]}"#),
            (OpenAIEmbeddingCodec(), #"{"data":[{"index":2,"embedding":[1]}]}"#),
            (OpenAIEmbeddingCodec(), #"{"data":[{"embedding":[1]}]}"#), (OpenAIEmbeddingCodec(), "{}"),
            (CohereEmbeddingCodec(), #"{"embeddings":{"float":[[1]]}}"#),
            (CohereEmbeddingCodec(), #"{"embeddings":{"int8":[[1],[2]]}}"#),
            (GeminiEmbeddingCodec(), #"{"embeddings":[{"values":[1]}]}"#),
            (GeminiEmbeddingCodec(), #"{"embeddings":[{"values":[1]},{}]}"#),
            (OllamaEmbeddingCodec(), #"{"embeddings":[[1],[2],[3]]}"#),
            (OllamaEmbeddingCodec(), #"{"error":"no"}"#), (OllamaEmbeddingCodec(), "{"),
        ]
        for (codec, body) in bodies {
            #expect(throws: UpstreamFault.self, "\(body)") {
                try codec.decode(Array(body.utf8), inputCount: 2)
            }
        }
    }

    @Test func `usage that nobody said is guessed from what was asked`() throws {
        let request = EmbeddingRequest(model: "m", inputs: [.text("hello there")])
        let told = try JSONDocument(
            parsing: front.body(EmbeddingReply(vectors: [[1]]), to: request))
        #expect(told["usage"]?["prompt_tokens"]?.int == TokenEstimate.tokens(in: "hello there"))
        #expect(told["data"]?.element(0)?["embedding"]?.element(0)?.double == 1)
        #expect(told["model"]?.string == "m")
    }

    @Test func `a fault has its kind`() {
        let openAI = OpenAIEmbeddingCodec()
        let quota =
            #"{"error":{"message":"You exceeded","type":"insufficient_quota","code":"insufficient_quota"}}"#
        #expect(openAI.fault(status: 429, body: Array(quota.utf8)).kind == .unpaid)
        #expect(openAI.fault(status: 429, body: []).kind == .rateLimited)
        let param = #"{"error":{"message":"m","param":"input","code":400}}"#
        #expect(openAI.fault(status: 400, body: Array(param.utf8)).field == "input")
        let key = #"{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT"}}"#
        #expect(GeminiEmbeddingCodec().fault(status: 400, body: Array(key.utf8)).kind == .unauthenticated)
    }
}
