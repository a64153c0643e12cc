import Base
import Chat
import JSON
import Testing

@testable import Providers

struct OpenAIResponsesRoundTripTests {
    private static let seed = UInt64.random(in: 0...UInt64.max)
    private let codec = OpenAIResponsesCodec()
    private let front = OpenAIResponsesFront()

    @Test func `what is sent to an upstream says all that the client has said`() throws {
        print("seed \(Self.seed)")
        var generator = ResponsesGenerator(seed: Self.seed)
        for _ in 0..<300 {
            let request = generator.request()
            let sent = try codec.encode(request, for: ChatTarget(model: request.model))
            #expect(sent.omitted == [])
            let read = try front.request(JSONDocument(parsing: sent.body))
            #expect(read == request, "seed \(Self.seed): \(String(decoding: sent.body, as: UTF8.self))")
        }
    }

    @Test func `an upstream's reply reaches the client whole`() throws {
        print("seed \(Self.seed)")
        var generator = ResponsesGenerator(seed: Self.seed)
        for _ in 0..<300 {
            let reply = generator.reply(id: "resp_abc")
            let body = front.body(reply, context)
            #expect(
                try codec.decode(body) == reply, "seed \(Self.seed): \(String(decoding: body, as: UTF8.self))"
            )
        }
    }

    @Test func `a stream says what the whole reply says, and each of its events fits the others`() throws {
        print("seed \(Self.seed)")
        var generator = ResponsesGenerator(seed: Self.seed)
        for _ in 0..<300 {
            let reply = generator.reply(id: "resp_abc")
            let stream = encode(reply.events)
            let read = try #require(try codec.decodeStream(stream, pieces: 1 + generator.below(50)))
            #expect(read.withoutSealIDs == reply.withoutSealIDs, "seed \(Self.seed)")
            try ResponsesStreamCheck.check(stream)
        }
    }

    @Test func `a stream that is cut is never taken for a whole one`() throws {
        print("seed \(Self.seed)")
        var generator = ResponsesGenerator(seed: Self.seed)
        for _ in 0..<20 {
            let stream = encode(generator.reply(id: "resp_abc").events)
            try codec.expectNoPrefixIsWhole(stream)
        }
    }

    private var context: ReplyContext {
        ReplyContext(
            ChatRequest(model: "m", messages: []), requestID: "req_abc", created: Timestamp(seconds: 5))
    }

    private func encode(_ events: [ChatEvent]) -> [UInt8] {
        var encoder = front.streamEncoder(context)
        var stream: [UInt8] = []
        for event in events { encoder.encode(event, into: &stream) }
        encoder.end(into: &stream)
        return stream
    }
}

extension ChatReply {
    /// A stream names a thought before it knows what its provider calls it.
    fileprivate var withoutSealIDs: ChatReply {
        var copy = self
        for (index, part) in parts.enumerated() {
            guard case .reasoning(var reasoning) = part.content else { continue }
            reasoning.seal?.id = nil
            copy.parts[index].content = .reasoning(reasoning)
        }
        return copy
    }
}
