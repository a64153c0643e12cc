import Base
import Chat
import JSON
import Testing

@testable import Providers

/// What clients of Anthropic's dialect may say, and what they get.
struct AnthropicFrontTests {
    private let front = AnthropicFront()

    private func request(_ text: String) throws -> ChatRequest {
        try front.request(JSONDocument(parsing: Array(text.utf8)))
    }

    private func faults(_ text: String) -> String {
        do {
            _ = try request(text)
            return ""
        } catch { return (error as? Problem)?.message ?? "\(error)" }
    }

    private let context = ReplyContext(
        ChatRequest(model: "house/model", messages: []), requestID: "req_42", created: Timestamp(seconds: 0))

    // MARK: Requests

    @Test func `all faults are told at once, each with its field`() {
        let fields = faults(
            #"""
            {"model":"","system":7,"temperature":"hot","top_k":-1,"stop_sequences":"x","stream":1,
             "thinking":{"type":"enabled"},"output_config":{"format":{"type":"json_schema"}},
             "tools":[{"name":"f"},{"type":7},3],"tool_choice":{"type":"sometimes"},"metadata":{"user_id":1}}
            """#)
        for field in [
            "model", "system", "messages", "max_tokens", "temperature", "top_k", "stop_sequences", "stream",
            "thinking.budget_tokens", "output_config.format.schema", "tools[0].input_schema", "tools[1].type",
            "tools[2]", "tool_choice.type", "metadata.user_id",
        ] {
            #expect(fields.contains("\(field): "), "\(field) in \(fields)")
        }
        let blocks = faults(
            #"""
            {"model":"m","max_tokens":1,
             "messages":[{"role":"robot","content":"x"},{"content":"x"},7,{"role":"user"},
               {"role":"user","content":[{"text":"x"},{"type":"text"},{"type":"image"},
                 {"type":"image","source":{"type":"base64","data":"x"}},{"type":"tool_use"}]},
               {"role":"assistant","content":[{"type":"tool_use","id":"1","name":"f","input":"{}"}]}]}
            """#)
        for field in [
            "messages[0].role", "messages[1].role", "messages[2]", "messages[3].content",
            "messages[4].content[0].type", "messages[4].content[1].text", "messages[4].content[2].source",
            "messages[4].content[3].source.media_type", "messages[4].content[4].type",
            "messages[5].content[0].input",
        ] {
            #expect(blocks.contains("\(field): "), "\(field) in \(blocks)")
        }
    }

    @Test func `a request must say how long its answer may be, one to count need not`() throws {
        let text = #"{"model":"m","messages":[{"role":"user","content":"x"}]}"#
        #expect(faults(text) == "max_tokens: is required.")
        let document = try JSONDocument(parsing: Array(text.utf8))
        #expect(try front.countRequest(document).messages == [ChatMessage(role: .user, text: "x")])
    }

    @Test(arguments: ["[]", "7", #"{"model":"m","max_tokens":1,"messages":[]}"#, "{}"])
    func `a request without messages is refused`(text: String) {
        #expect(faults(text) != "")
    }

    @Test func `blocks and fields that came later are no faults`() throws {
        let request = try request(
            #"""
            {"model":"m","max_tokens":0,"container":null,"context_management":{"edits":[]},"speed":"fast",
             "thinking":{"type":"between_tools"},"output_config":{"effort":"utmost","task_budget":{}},
             "tools":[{"type":"memory_20250818","name":"memory"}],
             "messages":[{"role":"system","content":"early"},{"role":"user","content":[
               {"type":"container_upload","file_id":"f","cache_control":{"type":"ephemeral"}},
               {"type":"document","source":{"type":"content","content":[{"type":"image"}]}}]}]}
            """#)
        #expect(request.messages.map(\.role) == [.system, .user])
        let types = request.messages[1].parts.compactMap { part -> String? in
            if case .opaque(.anthropic, let type, _) = part.content { type } else { nil }
        }
        #expect(types == ["container_upload", "document"])
        #expect(request.reasoning?.amount == .adaptive)
        guard case .provided(.anthropic, "memory_20250818", _) = request.tools[0].kind else {
            Issue.record("the provider's own tool is lost")
            return
        }
    }

    @Test func `results of tools are turns of their own, wherever they stand`() throws {
        let request = try request(
            #"""
            {"model":"m","max_tokens":1,"messages":[{"role":"user","content":[
              {"type":"tool_result","tool_use_id":"1","content":"a"},
              {"type":"tool_result","tool_use_id":"2","is_error":true,
               "content":[{"type":"text","text":"b"},{"type":"image","source":{"type":"url","url":"u"}}]},
              {"type":"text","text":"next"}]}]}
            """#)
        #expect(
            request.messages == [
                ChatMessage(
                    .tool,
                    [
                        ChatPart(.toolResult(ChatToolResult(callID: "1", parts: [.text("a")]))),
                        ChatPart(
                            .toolResult(
                                ChatToolResult(
                                    callID: "2",
                                    parts: [.text("b"), ChatPart(.media(ChatMedia(.image, .url("u"))))],
                                    isError: true))),
                    ]), ChatMessage(role: .user, text: "next"),
            ])
    }

    @Test func `a mark on the whole request is one on its last part`() throws {
        let request = try request(
            #"""
            {"model":"m","max_tokens":1,"cache_control":{"type":"ephemeral","ttl":"1h"},
             "messages":[{"role":"user","content":"x"},{"role":"assistant","content":[
               {"type":"text","text":"y"},{"type":"redacted_thinking","data":"z"}]}]}
            """#)
        #expect(request.messages[0].parts[0].cache == nil)
        #expect(request.messages[1].parts[0].cache == ChatCacheMarker(lifetime: "1h"))
    }

    @Test func `the older word for the format of the answer is understood`() throws {
        let request = try request(
            #"""
            {"model":"m","max_tokens":1,"messages":[{"role":"user","content":"x"}],
             "output_format":{"type":"json_schema","schema":{"type":"object"}}}
            """#)
        guard case .schema(let schema) = request.output else {
            Issue.record("the schema is lost")
            return
        }
        #expect(schema.schema["type"]?.string == "object")
    }

    // MARK: Answers

    @Test func `a whole reply has all members that clients look for`() throws {
        let reply = ChatReply(
            parts: [
                ChatPart(.text(ChatText("x", citations: [ChatCitation(url: "u", title: "t", quote: "q")]))),
                ChatPart(.refusal("no")),
                ChatPart(.toolCall(ChatToolCall(id: "1", name: "f", arguments: ""))),
                ChatPart(.toolCall(ChatToolCall(id: "2", name: "f", arguments: #"{"a"#))),
                ChatPart(.opaque(.gemini, type: "x", try JSONDocument(parsing: Array("{}".utf8)).root)),
            ],
            finish: ChatFinish(.stop, stopSequence: "END"),
            usage: ChatUsage(
                input: 1, cacheRead: 2, cacheWrite: 3, cacheWriteHour: 4, audioInput: 5, output: 6,
                reasoning: 7))
        let body = try JSONDocument(parsing: front.body(reply, context)).root
        let expected = #"""
            {"id":"msg_42","type":"message","role":"assistant","model":"house/model","content":[
              {"type":"text","text":"x","citations":[{"type":"web_search_result_location","url":"u","title":"t",
               "cited_text":"q","encrypted_index":""}]},{"type":"text","text":"no","citations":null},
              {"type":"tool_use","id":"1","name":"f","input":{}},
              {"type":"tool_use","id":"2","name":"f","input":{"INVALID_JSON":"{\"a"}}],
             "stop_reason":"stop_sequence","stop_sequence":"END","stop_details":null,
             "usage":{"input_tokens":6,"cache_read_input_tokens":2,"cache_creation_input_tokens":7,
              "cache_creation":{"ephemeral_5m_input_tokens":3,"ephemeral_1h_input_tokens":4},"output_tokens":13,
              "output_tokens_details":{"thinking_tokens":7},"service_tier":null}}
            """#
        #expect(body == (try JSONDocument(parsing: Array(expected.utf8)).root))
    }

    @Test(arguments: Problem.Kind.allCases)
    func `a problem has Anthropic's shape and the type of its status`(kind: Problem.Kind) throws {
        let problem = Problem(kind, code: "c", "Why.", field: "model")
        let body = try JSONDocument(parsing: front.body(problem, requestID: "req_1"))
        #expect(body["type"]?.string == "error" && body["request_id"]?.string == "req_1")
        #expect(body["error"]?["message"]?.string == "model: Why.")
        let types = [
            400: "invalid_request_error", 401: "authentication_error", 402: "billing_error",
            403: "permission_error", 404: "not_found_error", 405: "invalid_request_error",
            408: "timeout_error",
            409: "invalid_request_error", 413: "request_too_large", 415: "invalid_request_error",
            422: "invalid_request_error", 429: "rate_limit_error", 500: "api_error", 502: "api_error",
            503: "overloaded_error", 504: "timeout_error", 529: "overloaded_error",
        ]
        #expect(body["error"]?["type"]?.string == types[kind.status])
    }
}
