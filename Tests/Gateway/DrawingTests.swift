import Base
import Chat
import Foundation
import JSON
import Providers
import TestKit
import Testing

/// Images that a model makes within its answer, as clients get them and hand them back.
struct DrawingTests {
    private static let image = "iVBORw0KGgoAAAANSUhEUg=="
    private static let other = "iVBORw0KGgoAAAAOther"
    private static let parts = [
        #"{"text":"Here: "}"#,
        #"{"inlineData":{"mimeType":"image/png","data":"\#(image)"},"thoughtSignature":"c2lnbmVk"}"#,
        #"{"inlineData":{"mimeType":"image/png","data":"\#(other)"},"thoughtSignature":"b3RoZXI="}"#,
    ]
    private static let question = "Draw a bee."

    private static func gemini(_ parts: [String], isLast: Bool) -> String {
        #"{"candidates":[{"content":{"role":"model","parts":[\#(parts.joined(separator: ","))]}"#
            + (isLast ? #","finishReason":"STOP""# : "") + #"}],"responseId":"r","usageMetadata":"#
            + #"{"promptTokenCount":9,"candidatesTokenCount":1300,"candidatesTokensDetails":"#
            + #"[{"modality":"IMAGE","tokenCount":1290}]}}"#
    }

    /// How clients of a dialect ask, and make of an answer what comes before the next question.
    enum Front: String, CaseIterable, Sendable {
        case chat = "/v1/chat/completions"
        case responses = "/v1/responses"
        case messages = "/v1/messages"
        case generate = "/api/v1/generate"

        func body(_ turns: String, isStream: Bool) -> String {
            let (list, limit) =
                self == .responses ? ("input", "max_output_tokens") : ("messages", "max_tokens")
            return #"{"model":"p/x","\#(limit)":900,"stream":\#(isStream),"\#(list)":[\#(turns)]}"#
        }

        /// What of it goes into the next request.
        func turn(_ answer: GatewayWorld.Answer, isStream: Bool) throws -> String {
            guard isStream else { return try turn(JSONDocument(parsing: answer.body).root) }
            let data = answer.text.components(separatedBy: "\n").filter { $0.hasPrefix("data: {") }
                .map { Array($0.utf8.dropFirst(6)) }
            let events = try data.map { try JSONDocument(parsing: $0).root }
            switch self {
            case .chat: return Self.message(events)
            case .generate: return try turn(try #require(events.last { $0["type"]?.string == "end" }))
            case .responses:
                let end = events.last { $0["type"]?.string == "response.completed" }
                return try turn(try #require(end?["response"]))
            case .messages: return #"{"role":"assistant","content":"Here: "}"#
            }
        }

        private func turn(_ answer: JSONValue) throws -> String {
            func text(_ value: JSONValue?) throws -> String {
                String(decoding: try #require(value).bytes, as: UTF8.self)
            }
            switch self {
            case .chat: return try text(answer["choices"]?.element(0)?["message"])
            case .responses: return String(try text(answer["output"]).dropFirst().dropLast())
            case .messages: return #"{"role":"assistant","content":\#(try text(answer["content"]))}"#
            case .generate: return try text(answer["message"])
            }
        }

        /// As a client puts the pieces together.
        private static func message(_ chunks: [JSONValue]) -> String {
            var json = JSONWriter()
            let deltas = chunks.compactMap { $0["choices"]?.element(0)?["delta"] }
            json.object { json in
                json.field("role", "assistant")
                json.field("content", deltas.compactMap { $0["content"]?.string }.joined())
                for name in ["images", "reasoning_details"] {
                    json.key(dynamic: name)
                    json.array { json in
                        for piece in deltas.compactMap({ $0.member(name) }).flatMap({ Array($0.elements) }) {
                            json.value(piece)
                        }
                    }
                }
            }
            return String(decoding: json.bytes, as: UTF8.self)
        }
    }

    /// The client's turns of the second request, and what the provider was asked with then; `later` is its codec.
    private func conversation(
        _ front: Front, isStream: Bool, then later: (any ChatCodec)? = nil
    ) async throws -> (turn: String, sent: JSONValue, omitted: String?) {
        let seen = Locked<[[UInt8]]>([])
        let result = Locked<(String, String?)>(("", nil))
        let (type, body) =
            isStream
            ? (
                "text/event-stream",
                Self.parts.enumerated().map {
                    "data: \(Self.gemini([$0.element], isLast: $0.offset == Self.parts.count - 1))\r\n\r\n"
                }.joined()
            ) : ("application/json", Self.gemini(Self.parts, isLast: true))
        let script: GatewayWorld.Script = { peer in
            guard let head = try await peer.head() else { return }
            let length = head.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }?
                .split(separator: " ").last
            let request = try await peer.read(length.flatMap { Int($0) } ?? 0) ?? []
            seen.withLock { $0.append(request) }
            try await peer.write(
                "HTTP/1.1 200 OK\r\nContent-Type: \(type)\r\nConnection: close\r\n"
                    + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
        }
        func ask(_ codec: any ChatCodec, _ turns: String, isStream: Bool) async throws -> GatewayWorld.Answer
        {
            let answered = Locked<GatewayWorld.Answer?>(nil)
            try await GatewayWorld.run(
                upstreams: ["p": script], settings: { $0.chat = codec },
                { world in
                    let answer = try await world.send(
                        "POST", front.rawValue, [("x-api-key", world.key())],
                        body: front.body(turns, isStream: isStream))
                    answered.withLock { $0 = answer }
                })
            return try #require(answered.withLock { $0 })
        }
        let first = #"{"role":"user","content":"\#(Self.question)"}"#
        let answer = try await ask(GeminiCodec(), first, isStream: isStream)
        #expect(answer.status == 200, "\(answer.text)")
        let turn = try front.turn(answer, isStream: isStream)
        let turns = [first, turn, #"{"role":"user","content":"Another."}"#].joined(separator: ",")
        let again = try await ask(later ?? GeminiCodec(), turns, isStream: isStream)
        result.withLock { $0 = (turn, again["x-hivegate-omitted"]) }
        let last = try #require(seen.withLock { $0.last })
        let (said, omitted) = result.withLock { $0 }
        return (said, try JSONDocument(parsing: last).root, omitted)
    }

    @Test(arguments: [Front.chat, .responses, .generate], [false, true])
    func `what a model draws reaches the client, and comes back as it was with its signature`(
        _ front: Front, isStream: Bool
    ) async throws {
        let (turn, sent, _) = try await conversation(front, isStream: isStream)
        #expect(turn.contains(Self.image) && turn.contains(Self.other))
        let returned = try #require(sent["contents"]?.element(1)?["parts"])
        let expected = try JSONDocument(parsing: Array("[\(Self.parts.joined(separator: ","))]".utf8)).root
        #expect(returned == expected)
    }

    @Test(arguments: [false, true])
    func `a dialect without words for images leaves them out and keeps the words`(isStream: Bool) async throws
    {
        let (turn, sent, _) = try await conversation(.messages, isStream: isStream)
        #expect(turn.contains("Here: ") && !turn.contains(Self.image))
        #expect(sent["contents"]?.element(1)?["parts"]?.element(0)?["text"]?.string == "Here: ")
    }

    @Test(arguments: [Front.chat, .responses, .generate])
    func `a model that takes images from users alone goes on without what another has drawn`(_ front: Front)
        async throws
    {
        let (_, sent, omitted) = try await conversation(front, isStream: false, then: AnthropicCodec())
        #expect(omitted?.contains("messages.images") == true)
        let blocks = sent["messages"]?.element(1)?["content"]
        #expect(blocks?.count == 1 && blocks?.element(0)?["text"]?.string == "Here: ")
        #expect(sent["messages"]?.count == 3)
    }

    @Test func `images are billed as what they are`() async throws {
        let usage = try GeminiCodec().decode(Array(Self.gemini(Self.parts, isLast: true).utf8)).usage
        #expect(usage?.imageOutput == 1290 && usage?.output == 10 && usage?.totalOutput == 1300)
    }

    @Test(arguments: [false, true])
    func `what a provider of the chat dialect has drawn is in the answers of other dialects`(isStream: Bool)
        throws
    {
        let said =
            #"{"content":"Here.","images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,\#(Self.image)"}}]}"#
        let codec = OpenAIChatCodec()
        let reply =
            isStream
            ? try {
                var decoder = codec.streamDecoder()
                var events: [ChatEvent] = []
                let chunk = #"data: {"choices":[{"delta":\#(said),"finish_reason":"stop"}]}"# + "\n\n"
                try decoder.take(Array(chunk.utf8), into: &events)
                try decoder.end(into: &events)
                var assembler = ReplyAssembler()
                for event in events { assembler.take(event) }
                return try #require(assembler.reply)
            }()
            : try codec.decode(
                Array(#"{"choices":[{"message":\#(said),"finish_reason":"stop"}]}"#.utf8))
        let drawn = ChatMedia(.image, .base64(Self.image), mediaType: "image/png")
        #expect(reply.parts == [.text("Here."), ChatPart(.media(drawn))])
    }
}
