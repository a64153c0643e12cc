import Base
import Chat
import JSON
import Testing

@testable import Providers

/// What goes out through one side comes in through the other as it was.
struct AnthropicRoundTripTests {
    private let front = AnthropicFront()
    private let codec = AnthropicCodec()
    private let seed = UInt64.random(in: 0...UInt64.max)

    @Test func `a request that is written and read again is the same`() throws {
        for offset in 0..<400 {
            var generator = AnthropicGenerator(seed: seed &+ UInt64(offset))
            let request = generator.request()
            let written = try codec.encode(request, for: ChatTarget(model: request.model))
            let body = String(decoding: written.body, as: UTF8.self)
            #expect(written.omitted == [], "seed \(seed) + \(offset)")
            let read = try front.request(JSONDocument(parsing: written.body))
            #expect(read == request, "seed \(seed) + \(offset): \(body)")
        }
    }

    @Test func `no role follows on itself`() throws {
        for offset in 0..<100 {
            var generator = AnthropicGenerator(seed: seed &+ UInt64(offset))
            let request = generator.request()
            let body = try codec.encode(request, for: ChatTarget(model: "m")).body
            let messages = try #require(JSONDocument(parsing: body)["messages"]).elements.map { $0 }
            let roles = messages.map { $0["role"]?.string }
            #expect(zip(roles, roles.dropFirst()).allSatisfy { $0 != $1 }, "seed \(seed) + \(offset)")
        }
    }

    @Test func `a reply is the same whole, streamed, and in any pieces`() throws {
        for offset in 0..<200 {
            var generator = AnthropicGenerator(seed: seed &+ UInt64(offset))
            let reply = generator.reply(model: "house/model")
            let context = ReplyContext(
                ChatRequest(model: "house/model", messages: []), requestID: "req_1",
                created: Timestamp(seconds: 0))
            #expect(try codec.decode(front.body(reply, context)) == reply, "seed \(seed) + \(offset)")
            var encoder = front.streamEncoder(context)
            var stream: [UInt8] = []
            for event in reply.events {
                encoder.encode(event, into: &stream)
                stream += front.keepAlive
            }
            encoder.end(into: &stream)
            for size in [5, Int.max] {
                let streamed = try codec.decodeStream(stream, pieces: size)
                #expect(streamed == reply, "seed \(seed) + \(offset)")
            }
        }
    }

    @Test(arguments: ChatDialect.allCases)
    func `a seal of any provider comes back byte for byte`(origin: ChatDialect) throws {
        for replacesText in [false, true] {
            for text in ["", "a thought"] {
                let seal = ChatSeal("AbC+/=.1", origin: origin, replacesText: replacesText)
                if origin == .anthropic, replacesText, !text.isEmpty { continue }
                let reply = ChatReply(
                    parts: [ChatPart(.reasoning(ChatReasoning(text, seal: seal)))], finish: ChatFinish(.stop))
                let context = ReplyContext(
                    ChatRequest(model: "m", messages: []), requestID: "r", created: Timestamp(seconds: 0))
                var encoder = front.streamEncoder(context)
                var stream: [UInt8] = []
                for event in reply.events { encoder.encode(event, into: &stream) }
                encoder.end(into: &stream)
                let whole = try JSONDocument(parsing: front.body(reply, context))
                let streamed = try #require(try codec.decodeStream(stream))
                #expect(try codec.decode(whole.bytes).parts == streamed.parts)
                let block = try #require(whole["content"]?.element(0))
                let echo = #"""
                    {"model":"m","max_tokens":1,"messages":[{"role":"assistant","content":[\#(ToldByAnthropic.canonical(block))]}]}
                    """#
                let read = try front.request(JSONDocument(parsing: Array(echo.utf8)))
                guard case .reasoning(let reasoning) = try #require(read.messages[0].parts.first).content
                else {
                    Issue.record("the thought is lost")
                    continue
                }
                #expect(reasoning.seal == seal && reasoning.text == text)
            }
        }
    }
}
