import Base
import Chat
import Testing

@testable import Providers

/// Answers with bytes that are wrong, missing or said twice: they are read or refused, and nothing else happens.
struct BrokenAnswerTests {
    private static let huge = "9223372036854775807"
    private static let cohere = """
        data: {"type":"message-start","id":"1"}

        data: {"type":"tool-plan-delta","delta":{"message":{"tool_plan":"p"}}}

        data: {"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"a","function":{"name":"b"}}}}}

        data: {"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"{}"}}}}}

        data: {"type":"message-end","delta":{"finish_reason":"TOOL_CALL","usage":{"tokens":{"input_tokens":\(huge)}}}}


        """
    private static let ollama = """
        {"model":"m","message":{"role":"assistant","thinking":"t"},"done":false}
        {"message":{"tool_calls":[{"function":{"name":"a","arguments":{"b":1}}}]},"done":false}
        {"message":{"content":"c"},"done":true,"prompt_eval_count":\(huge),"eval_count":-1}

        """

    private func broken(_ text: String, _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = Array(text.utf8)
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
            let place = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
            case 1: bytes.remove(at: place)
            case 2: bytes.insert(bytes[place], at: place)
            default:
                let end = min(bytes.count, place + Int.random(in: 1...40, using: &generator))
                bytes.insert(contentsOf: Array(bytes[place..<end]), at: place)
            }
        }
        return bytes
    }

    @Test func `broken streams are read or refused`() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SeededGenerator(seed: seed)
        let streams: [(any ChatCodec, String)] = [
            (CohereCodec(), Self.cohere), (OllamaCodec(), Self.ollama),
        ]
        for (codec, stream) in streams {
            let whole = try codec.decodeStream(Array(stream.utf8))
            #expect(whole?.toolCalls.count == 1)
            #expect(whole?.usage?.totalInput ?? 0 == 0)
            var readCount = 0
            for _ in 0..<2000 {
                let bytes = broken(stream, &generator)
                do {
                    let reply = try codec.decodeStream(bytes, pieces: 16)
                    // What is read has an end.
                    #expect(reply != nil, "seed \(seed)")
                    readCount += 1
                } catch { #expect(error is UpstreamFault, "seed \(seed)") }
            }
            #expect((1..<2000).contains(readCount), "seed \(seed)")
        }
    }

    @Test func `broken answers to requests for vectors and images are read or refused`() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SeededGenerator(seed: seed)
        let vectors: [(any EmbeddingCodec, String)] = [
            (
                OpenAIEmbeddingCodec(),
                #"{"data":[{"index":0,"embedding":"AACAPw=="},{"index":1,"embedding":[1e3]}]}"#
            ), (CohereEmbeddingCodec(), #"{"embeddings":{"float":[[1,2],[3,4]]}}"#),
            (GeminiEmbeddingCodec(), #"{"embeddings":[{"values":[1]},{"values":[2]}]}"#),
            (OllamaEmbeddingCodec(), #"{"embeddings":[[1],[2]],"prompt_eval_count":3}"#),
        ]
        for (codec, answer) in vectors {
            for _ in 0..<500 {
                let reply = try? codec.decode(broken(answer, &generator), inputCount: 2)
                #expect(reply.map { $0.vectors.count } ?? 2 == 2, "seed \(seed)")
            }
        }
        let images = #"{"data":[{"b64_json":"A"}],"usage":{"input_tokens":\#(Self.huge),"output_tokens":1}}"#
        for _ in 0..<500 {
            let reply = try? OpenAIImageCodec().decode(broken(images, &generator))
            #expect(reply.map { !$0.images.isEmpty } ?? true, "seed \(seed)")
        }
    }
}
