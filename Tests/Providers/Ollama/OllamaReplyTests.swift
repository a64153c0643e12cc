import Chat
import JSON
import Testing

@testable import Providers

struct OllamaReplyTests {
    private let codec = OllamaCodec()

    /// A line as Ollama writes it.
    private static func line(_ fields: (inout JSONWriter) -> Void) -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.field("model", "gpt-oss:20b")
            json.field("created_at", "2026-08-01T08:52:19.385406455Z")
            fields(&json)
        }
        return json.bytes + [0x0A]
    }

    private static func message(_ field: StaticString, _ text: String) -> [UInt8] {
        line { json in
            json.object("message") { json in
                json.field("role", "assistant")
                if field.description != "content" { json.field("content", "") }
                json.field(field, text)
            }
            json.field("done", false)
        }
    }

    private static func calls(_ names: [String], arguments: String) -> [UInt8] {
        line { json in
            json.object("message") { json in
                json.field("role", "assistant")
                json.field("content", "")
                json.array("tool_calls") { json in
                    for name in names {
                        json.object { json in
                            json.object("function") { json in
                                json.field("name", name)
                                json.field("arguments", raw: Array(arguments.utf8))
                            }
                        }
                    }
                }
            }
            json.field("done", false)
        }
    }

    private static func end(_ reason: String?) -> [UInt8] {
        line { json in
            json.object("message") { json in
                json.field("role", "assistant")
                json.field("content", "")
            }
            json.field("done", true)
            json.field("done_reason", ifPresent: reason)
            json.field("total_duration", 4_883_583_458)
            json.field("prompt_eval_count", 26)
            json.field("eval_count", 282)
        }
    }

    private static let thinking =
        message("thinking", "Hm, ") + message("thinking", "日本 🦜")
        + message("content", "Grüße,\n") + message("content", "\"you\" 🦜")
    private static let spoken = thinking + end("stop")
    private static let called =
        message("thinking", "look")
        + calls(["a", "b"], arguments: #"{"city":"Zürich","n":[1,2.50]}"#) + calls(["a"], arguments: "{}")
        + end("stop")

    private static func thought(_ text: String) -> ChatPart {
        ChatPart(.reasoning(ChatReasoning(text, seal: ChatSeal("thinking", origin: .ollama))))
    }

    private static func call(_ number: Int, _ name: String, _ arguments: String) -> ChatPart {
        ChatPart(.toolCall(ChatToolCall(id: "call_\(number)", name: name, arguments: arguments)))
    }

    private static func reply(_ parts: [ChatPart], _ reason: ChatFinish.Reason) -> ChatReply {
        ChatReply(
            model: "gpt-oss:20b", parts: parts, finish: ChatFinish(reason),
            usage: ChatUsage(input: 26, output: 282))
    }

    @Test(arguments: [1, 7, Int.max])
    func `a stream adds up to its reply, however it is cut`(size: Int) throws {
        #expect(
            try codec.decodeStream(Self.spoken, pieces: size)
                == Self.reply([Self.thought("Hm, 日本 🦜"), .text("Grüße,\n\"you\" 🦜")], .stop))
        let arguments = #"{"city":"Zürich","n":[1,2.50]}"#
        #expect(
            try codec.decodeStream(Self.called, pieces: size)
                == Self.reply(
                    [
                        Self.thought("look"), Self.call(0, "a", arguments), Self.call(1, "b", arguments),
                        Self.call(2, "a", "{}"),
                    ], .toolCalls))
        #expect(try codec.decodeStream(Self.thinking + Self.end("length"))?.finish.reason == .length)
        #expect(try codec.decodeStream(Self.thinking + Self.end(nil))?.finish.reason == .stop)
    }

    @Test func `a stream that breaks off is never a reply`() throws {
        for stream in [Self.spoken, Self.called] {
            // The last line is whole without its end.
            for count in 0..<(stream.count - 1) {
                #expect(throws: UpstreamFault.self, "\(count)") {
                    try codec.decodeStream(Array(stream.prefix(count)))
                }
            }
            let unended = try codec.decodeStream(Array(stream.dropLast()))
            let ended = try codec.decodeStream(stream)
            #expect(unended == ended && ended != nil)
        }
    }

    @Test func `an error in the middle is what the stream comes to`() throws {
        let stream = Self.thinking + Array(#"{"error":"an error was encountered: EOF"}"#.utf8) + [0x0A]
        let fault = #expect(throws: UpstreamFault.self) { try codec.decodeStream(stream) }
        #expect(fault == UpstreamFault(.failed, "an error was encountered: EOF"))
    }

    @Test func `a line without end is given up`() {
        var decoder = codec.streamDecoder()
        var events: [ChatEvent] = []
        let piece = [UInt8](repeating: 0x20, count: 1024 * 1024)
        let fault = #expect(throws: UpstreamFault.self) {
            for _ in 0...8 { try decoder.take(piece, into: &events) }
        }
        #expect(fault?.kind == .garbled)
    }

    @Test func `an answer in one piece says what the stream says`() throws {
        let body = Self.line { json in
            json.object("message") { json in
                json.field("role", "assistant")
                json.field("content", "Grüße,\n\"you\" 🦜")
                json.field("thinking", "Hm, 日本 🦜")
            }
            json.field("done_reason", "stop")
            json.field("done", true)
            json.field("prompt_eval_count", 26)
            json.field("eval_count", 282)
        }
        let whole = try codec.decode(body)
        let streamed = try codec.decodeStream(Self.spoken)
        #expect(whole == streamed)
        #expect(throws: UpstreamFault.self) { try codec.decode(Self.message("content", "a")) }
        #expect(throws: UpstreamFault.self) { try codec.decode(Array(#"{"error":"no"}"#.utf8)) }
        #expect(throws: UpstreamFault.self) { try codec.decode(Array("[]".utf8)) }
    }

    @Test func `no two calls of a conversation have one name`() throws {
        var conversation = ChatRequest(model: "m", messages: [ChatMessage(role: .user, text: "hi")])
        var names: Set<String> = []
        for _ in 0..<4 {
            let reply = try OllamaCodec().codec(for: ChatTarget(model: "m"), answering: conversation)
                .decodeStream(Self.called)
            let calls = try #require(reply).toolCalls
            for call in calls { #expect(names.insert(call.id).inserted) }
            conversation.messages.append(
                ChatMessage(.assistant, calls.map { ChatPart(.toolCall($0)) }))
        }
        // A name like ours that came from elsewhere.
        conversation.messages.append(ChatMessage(.assistant, [Self.call(70, "a", "{}")]))
        let reply = try OllamaCodec().codec(for: ChatTarget(model: "m"), answering: conversation)
            .decodeStream(Self.called)
        #expect(reply?.toolCalls.map(\.id) == ["call_71", "call_72", "call_73"])
    }

    @Test func `a name that the server gives a call is kept`() throws {
        let body = Self.line { json in
            json.object("message") { json in
                json.array("tool_calls") { json in
                    json.object { json in
                        json.field("id", "call_x1")
                        json.object("function") { $0.field("name", "a") }
                    }
                }
            }
            json.field("done", true)
        }
        let reply = try codec.decode(body)
        #expect(reply.toolCalls == [ChatToolCall(id: "call_x1", name: "a", arguments: "{}")])
        #expect(reply.usage == nil)
        #expect(reply.finish.reason == .toolCalls)
    }

    @Test(arguments: [
        (404, #"{"error":"model \"x\" not found, try pulling it first"}"#, UpstreamFault.Kind.notFound),
        (400, #"{"error":"\"x\" does not support tools"}"#, .invalidRequest),
        (400, #"{"error":"the input length exceeds the context length"}"#, .contextTooLong),
        (503, #"{"error":"server busy, please try again"}"#, .overloaded), (500, "oh", .failed),
    ])
    func `a fault has its kind`(status: Int, body: String, kind: UpstreamFault.Kind) throws {
        let fault = codec.fault(status: status, body: Array(body.utf8))
        #expect(fault.kind == kind)
        #expect(fault.status == status)
        let words = (try? JSONDocument(parsing: Array(body.utf8)))?["error"]?.string
        if let words { #expect(fault.message == words) }
    }
}
