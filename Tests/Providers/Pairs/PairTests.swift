import Base
import Chat
import JSON
import TestKit
import Testing

@testable import Providers

/// Each dialect that clients speak, with each that providers speak.
struct PairTests {
    struct Front: CustomTestStringConvertible {
        let name: String
        let front: any ChatFront
        let codec: any ChatCodec
        var testDescription: String { name }
    }

    struct Upstream: CustomTestStringConvertible {
        let name: String
        let codec: any ChatCodec
        /// Reads a request as the provider would.
        let read: @Sendable ([UInt8], ChatRequest) throws -> ChatRequest
        var testDescription: String { name }
    }

    static let fronts = [
        Front(name: "chat", front: OpenAIChatFront(), codec: OpenAIChatCodec(.openAI)),
        Front(name: "responses", front: OpenAIResponsesFront(), codec: OpenAIResponsesCodec()),
        Front(name: "anthropic", front: AnthropicFront(), codec: AnthropicCodec()),
    ]

    static let upstreams =
        fronts.map { front in
            Upstream(name: front.name, codec: front.codec) { body, _ in
                try front.front.request(JSONDocument(parsing: body))
            }
        } + [
            Upstream(name: "gemini", codec: GeminiCodec()) { body, request in
                try GeminiRequestDecoder.request(body, model: "m", isStreaming: request.isStreaming)
            },
            Upstream(name: "cohere", codec: CohereCodec()) { body, _ in try CohereRequestReading.request(body)
            },
            Upstream(name: "ollama", codec: OllamaCodec()) { body, _ in try OllamaRequestReading.request(body)
            },
        ]

    @Test(arguments: fronts, upstreams)
    func `what both can say is asked as it was meant`(front: Front, upstream: Upstream) throws {
        var system = SystemRandomNumberGenerator()
        let seed = system.next()
        for offset in 0..<60 {
            var ground = CommonGround(seed: seed &+ UInt64(offset))
            let meant = try ground.request()
            let target = ChatTarget(model: "m")
            let asked = try front.codec.encode(meant, for: target)
            let understood = try front.front.request(JSONDocument(parsing: asked.body))
            #expect(try Meaning(understood) == Meaning(meant), "seed \(seed) + \(offset)")
            let codec = upstream.codec.codec(for: target, answering: understood)
            let passed = try codec.encode(understood, for: target)
            let heard = try upstream.read(passed.body, understood)
            #expect(try Meaning(heard) == Meaning(meant), "seed \(seed) + \(offset)")
        }
    }

    // MARK: Answers

    private static let recordings = RecordedExchange.all("").filter { exchange in
        exchange.status == 200 && codec(of: exchange) != nil
    }

    private static func codec(of exchange: RecordedExchange) -> (any ChatCodec)? {
        let name = exchange.name
        if name.contains("count_tokens") || name.contains("embed") || name.contains("models_200") {
            return nil
        }
        if name.contains("converse") { return BedrockCodec(model: exchange.uri) }
        if name.contains("_responses_") { return OpenAIResponsesCodec() }
        if name.hasPrefix("anthropic") { return AnthropicCodec() }
        if name.hasPrefix("cohere_v2_chat") { return CohereCodec() }
        if name.contains("generatecontent") { return GeminiCodec() }
        return name.contains("completions") ? OpenAIChatCodec() : nil
    }

    /// What a reply says, without what the dialect of a client has no words for.
    private struct Said: Equatable {
        var text: String
        var thoughts: String
        var calls: [String]
        var reason: ChatFinish.Reason
        var input: Int?
        var output: Int?
        var seals: [String]

        init(_ reply: ChatReply) {
            text = reply.parts.compactMap { part in
                switch part.content {
                case .text(let text): text.text
                case .refusal(let text): text
                default: nil
                }
            }.joined()
            let reasoning = reply.parts.compactMap { part in
                if case .reasoning(let reasoning) = part.content { reasoning } else { nil }
            }
            thoughts = reasoning.map(\.text).joined()
            seals = reasoning.compactMap(\.seal).map { "\($0.origin) \($0.data)" }
            calls = reply.toolCalls.map { "\($0.id) \($0.name) \($0.arguments)" }
            reason = reply.finish.reason
            input = reply.usage?.totalInput
            output = reply.usage?.totalOutput
        }
    }

    @Test(.enabled(if: RecordedExchange.areThere), arguments: fronts)
    func `what any provider answered reaches any client, whole and as a stream`(front: Front) throws {
        #expect(Self.recordings.count > 90)
        for exchange in Self.recordings {
            guard let codec = Self.codec(of: exchange) else { continue }
            let isStream = exchange.name.contains("stream_0") || exchange.name.contains("stream_1")
            let found: ChatReply?
            do {
                found =
                    isStream
                    ? try codec.decodeStream(exchange.responseBody) : try codec.decode(exchange.responseBody)
            } catch is UpstreamFault {
                // Some were recorded because they failed.
                continue
            }
            let reply = try #require(found)
            let context = ReplyContext(
                ChatRequest(model: "m", messages: []), requestID: "req_1", created: Timestamp(seconds: 1))
            var asking = context
            asking.request.includesUsage = true
            let whole = try front.codec.decode(front.front.body(reply, context))
            var encoder = front.front.streamEncoder(asking)
            var stream: [UInt8] = []
            for event in reply.events { encoder.encode(event, into: &stream) }
            encoder.end(into: &stream)
            let streamed = try #require(try front.codec.decodeStream(stream))
            for heard in [whole, streamed] {
                compare(Said(heard), Said(reply), front, exchange)
            }
        }
    }

    private func compare(_ heard: Said, _ meant: Said, _ front: Front, _ exchange: RecordedExchange) {
        var (heard, meant) = (heard, meant)
        // Only Anthropic's clients must be told; others hear nothing where nothing was said.
        if meant.input == nil { (heard.input, heard.output) = (nil, nil) }
        // OpenAI's dialects have no other word for it.
        if meant.reason == .paused, front.name == "chat" { meant.reason = .stop }
        // A foreign seal comes as a text of the front's own dialect, which says where it belongs.
        func unwrapped(_ seal: String) -> String {
            let data = seal.split(separator: " ", maxSplits: 1).last.map(String.init) ?? ""
            return ForeignSeal.unwrap(data).map { "\($0.origin) \($0.data)" } ?? seal
        }
        heard.seals = heard.seals.map(unwrapped).sorted()
        meant.seals.sort()
        let place = "\(front.name), \(exchange.name)"
        #expect(heard.seals == meant.seals, "\(place)")
        #expect(heard.calls == meant.calls, "\(place)")
        #expect(heard.thoughts == meant.thoughts, "\(place)")
        #expect(heard == meant, "\(place)")
    }
}
