import Chat
import JSON
import Providers
import Testing

struct CohereStreamTests {
    private let codec = CohereCodec()
    private let usage = ChatUsage(input: 41, output: 25)

    private func reply(_ parts: [ChatPart], _ reason: ChatFinish.Reason) -> ChatReply {
        ChatReply(id: "m1", parts: parts, finish: ChatFinish(reason), usage: usage)
    }

    private func thought(_ text: String, _ place: String) -> ChatPart {
        ChatPart(.reasoning(ChatReasoning(text, seal: ChatSeal(place, origin: .cohere))))
    }

    /// Each stream with what it adds up to.
    private func streams() -> [(stream: CohereStream, reply: ChatReply)] {
        var spoken = CohereStream()
        spoken.start(id: "m1")
        spoken.event("debug") { $0.field("prompt", "…") }
        spoken.content(0, "thinking", "Let me see: ü 🦜", pieces: 3)
        spoken.content(1, "text", "Grüße, \"you\"\n日本 🦜", pieces: 2)
        spoken.event("citation-start", index: 0) { json in
            json.object("citations") { $0.field("text", "you") }
        }
        spoken.event("citation-end") { $0.field("index", 0) }
        spoken.event("something-new") { $0.field("index", 3) }
        spoken.end("COMPLETE", usage: usage, isDone: true)
        let first = ChatToolCall(id: "a_1", name: "weather", arguments: #"{"city":"Zürich"}"#)
        let second = ChatToolCall(id: "b_2", name: "time", arguments: "{}")
        var called = CohereStream()
        called.start(id: "m1")
        called.plan("I will look it up.", pieces: 4)
        called.call(0, first, pieces: 5)
        called.call(1, ChatToolCall(id: "b_2", name: "time", arguments: ""), pieces: 1)
        called.end("TOOL_CALL", usage: usage)
        return [
            (
                spoken,
                reply(
                    [thought("Let me see: ü 🦜", "thinking"), .text("Grüße, \"you\"\n日本 🦜")], .stop)
            ),
            (
                called,
                reply(
                    [thought("I will look it up.", "tool_plan")]
                        + [first, second].map { ChatPart(.toolCall($0)) }, .toolCalls)
            ),
        ]
    }

    @Test(arguments: [1, 7, Int.max])
    func `a stream adds up to its reply, however it is cut`(size: Int) throws {
        for (stream, reply) in streams() {
            #expect(try codec.decodeStream(stream.bytes, pieces: size) == reply)
        }
    }

    @Test func `a stream that breaks off is never a reply`() throws {
        for (stream, _) in streams() {
            let end = try #require(stream.end)
            for count in 0..<end {
                #expect(throws: UpstreamFault.self, "\(count)") {
                    try codec.decodeStream(Array(stream.bytes.prefix(count)))
                }
            }
            #expect(try codec.decodeStream(Array(stream.bytes.prefix(end))) != nil)
        }
    }

    @Test func `an error in the middle is what the stream comes to`() throws {
        let endings: [(UpstreamFault.Kind, (inout CohereStream) -> Void)] = [
            (.failed, { $0.end("ERROR", usage: ChatUsage(input: 41, output: 25)) }),
            (.timedOut, { $0.end("TIMEOUT", usage: ChatUsage(input: 41, output: 25)) }),
            (
                .failed,
                { stream in
                    stream.event("message-end") { json in
                        json.object("delta") { $0.field("error", "no more") }
                    }
                }
            ),
            (.failed, { stream in stream.event("error") { $0.field("message", "no more") } }),
        ]
        for (kind, ending) in endings {
            var stream = CohereStream()
            stream.start(id: "m1")
            stream.content(0, "text", "a", pieces: 1)
            ending(&stream)
            let fault = #expect(throws: UpstreamFault.self) { try codec.decodeStream(stream.bytes) }
            #expect(fault?.kind == kind)
            if stream.end != nil { #expect(fault?.usage == usage) }
        }
    }

    @Test func `more of a call that never began is garbled`() {
        var stream = CohereStream()
        stream.start(id: "m1")
        stream.event("tool-call-delta", index: 2) { json in
            json.object("tool_calls") { json in
                json.object("function") { $0.field("arguments", "{}") }
            }
        }
        let fault = #expect(throws: UpstreamFault.self) { try codec.decodeStream(stream.bytes) }
        #expect(fault?.kind == .garbled)
    }
}
