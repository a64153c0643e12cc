import Base
import Chat
import JSON
import Testing

@testable import Providers

struct GeminiRoundTripTests {
    private static let seed = UInt64.random(in: 0...UInt64.max)
    private let codec = GeminiCodec()

    @Test func `what is sent says all that Gemini can be told`() throws {
        print("seed \(Self.seed)")
        var generator = GeminiGenerator(seed: Self.seed)
        for _ in 0..<300 {
            let request = generator.request()
            let sent = try codec.encode(request, for: ChatTarget(model: request.model))
            #expect(sent.omitted == [])
            let read = try GeminiRequestDecoder.request(
                sent.body, model: request.model, isStreaming: sent.path.hasSuffix("?alt=sse"))
            #expect(read == request, "seed \(Self.seed): \(String(decoding: sent.body, as: UTF8.self))")
        }
    }

    @Test func `every signature goes back on the part that it came on`() throws {
        print("seed \(Self.seed)")
        var generator = GeminiGenerator(seed: Self.seed)
        for _ in 0..<500 {
            let kept = generator.parts()
            if kept.isEmpty { continue }
            var said: [String] = []
            var expected: [String] = []
            for part in kept {
                // Shown thoughts are vouched for by the signature behind them, unless that is a thought's own.
                let isThought = part.contains("\"thought\":true")
                if !isThought, expected.last?.contains("\"thought\":true") != true, generator.below(4) == 0 {
                    let thought = generator.thought()
                    said.append(thought)
                    if part.contains("thoughtSignature"), !part.contains("executableCode") {
                        expected.append(thought)
                    }
                }
                said.append(part)
                expected.append(part)
            }
            for isStreamed in [false, true] {
                let reply = try decode(said, isStreamed: isStreamed)
                let request = ChatRequest(
                    model: "m",
                    messages: [ChatMessage(role: .user, text: "x"), ChatMessage(.assistant, reply.parts)])
                let sent = try codec.encode(request, for: ChatTarget(model: "gemini-2.5-pro"))
                let contents = try #require(try JSONDocument(parsing: sent.body)["contents"])
                let parts = try #require(contents.element(1)?["parts"])
                #expect(
                    parts == (try value("[\(expected.joined(separator: ","))]")),
                    "seed \(Self.seed): \(said) became \(String(decoding: parts.bytes, as: UTF8.self))")
            }
        }
    }

    private func decode(_ parts: [String], isStreamed: Bool) throws -> ChatReply {
        func answer(_ parts: [String], _ more: String) -> String {
            "{\"candidates\":[{\"content\":{\"parts\":[\(parts.joined(separator: ","))],\"role\":\"model\"}\(more)}]}"
        }
        let end = #","finishReason":"STOP""#
        if !isStreamed { return try codec.decode(Array(answer(parts, end).utf8)) }
        let events = parts.map { answer([$0], "") } + [answer([#"{"text":""}"#], end)]
        let stream = events.map { "data: \($0)\r\n\r\n" }.joined()
        return try #require(try codec.decodeStream(Array(stream.utf8), pieces: 13))
    }

    private func value(_ text: String) throws -> JSONValue {
        try JSONDocument(parsing: Array(text.utf8)).root
    }
}
