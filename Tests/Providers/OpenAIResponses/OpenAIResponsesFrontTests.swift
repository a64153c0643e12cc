import Base
import Chat
import JSON
import Testing

@testable import Providers

struct OpenAIResponsesFrontTests {
    private let codec = OpenAIResponsesCodec()
    private let front = OpenAIResponsesFront()

    private func read(_ text: String) throws -> ChatRequest {
        try front.request(JSONDocument(parsing: Array(text.utf8)))
    }

    private func context(_ tools: [ChatTool] = []) -> ReplyContext {
        var request = ChatRequest(model: "m", messages: [ChatMessage(role: .user, text: "x")])
        request.tools = tools
        return ReplyContext(request, requestID: "req_abc", created: Timestamp(seconds: 5))
    }

    private func stream(_ events: [ChatEvent], _ context: ReplyContext) -> [UInt8] {
        var encoder = front.streamEncoder(context)
        var stream: [UInt8] = []
        for event in events { encoder.encode(event, into: &stream) }
        encoder.end(into: &stream)
        return stream
    }

    // MARK: Requests

    @Test func `a text is a message of the user, and instructions come before it`() throws {
        let request = try read(#"{"model":"m","instructions":"be brief","input":"hello"}"#)
        #expect(
            request.messages == [
                ChatMessage(role: .system, text: "be brief"), ChatMessage(role: .user, text: "hello"),
            ])
        #expect(request.reasoning == nil && request.toolChoice == nil && !request.isStreaming)
    }

    @Test func `items of one turn are one message`() throws {
        let request = try read(
            """
            {"model":"m","input":[{"role":"user","content":"q"},
             {"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"a"},
               {"type":"summary_text","text":"b"}],"encrypted_content":"gAAA"},
             {"type":"message","role":"assistant","content":[{"type":"output_text","text":"t","annotations":[]}]},
             {"type":"function_call","call_id":"c1","name":"f","arguments":"{}"},
             {"type":"function_call","call_id":"c2","name":"g","arguments":"{}"},
             {"type":"function_call_output","call_id":"c1","output":"one"},
             {"type":"function_call_output","call_id":"c2","output":[{"type":"input_text","text":"two"}]}]}
            """)
        #expect(request.messages.map(\.role) == [.user, .assistant, .tool])
        #expect(
            request.messages[1].parts[0].content
                == .reasoning(
                    ChatReasoning(
                        "a\n\nb", isSummary: true,
                        seal: ChatSeal("gAAA", origin: .openAIResponses, id: "rs_1", replacesText: true))))
        #expect(request.messages[1].parts.count == 4)
        #expect(request.messages[2].text == "one\ntwo")
    }

    @Test func `every fault is reported at once, each with its field and the way out`() {
        let text = """
            {"input":[{"role":"robot","content":"x"},{"content":"x"},{"role":"user"},
              {"role":"user","content":[{"type":"hologram"}]},{"type":"item_reference","id":"msg_1"},
              {"type":"function_call","name":"f","arguments":"{}"}],
             "previous_response_id":"resp_1","background":true,"temperature":"hot","tools":[{"name":"f"}],
             "tool_choice":{"type":"mcp"},"text":{"format":{"type":"xml"}},"reasoning":{"effort":"much"},
             "max_output_tokens":0}
            """
        #expect {
            try read(text)
        } throws: { error in
            guard let problem = error as? Problem else { return false }
            let fields = [
                "model:", "input[0].role:", "input[1].type:", "input[2].content:",
                "input[3].content[0].type:",
                "input[4]:", "input[5].call_id:", "previous_response_id:", "background:", "temperature:",
                "tools[0].type:", "tool_choice.type:", "text.format.type:", "reasoning.effort:",
                "max_output_tokens:",
            ]
            return problem.kind == .invalidRequest && problem.field == "model"
                && fields.allSatisfy { problem.message.contains($0) }
                && problem.message.contains("send the whole conversation in input")
        }
    }

    @Test func `a conversation that we do not keep is refused, and null is none`() throws {
        #expect {
            try read(#"{"model":"m","input":"x","conversation":{"id":"conv_1"}}"#)
        } throws: { ($0 as? Problem)?.field == "conversation" }
        let request = try read(
            #"{"model":"m","input":"x","conversation":null,"previous_response_id":null,"background":false}"#)
        #expect(request.messages.count == 1)
    }

    @Test func `tools that may not be called are left out`() throws {
        let request = try read(
            """
            {"model":"m","input":"x","tools":[{"type":"function","name":"f","parameters":{}},
              {"type":"custom","name":"g"},{"type":"web_search"}],
             "tool_choice":{"type":"allowed_tools","mode":"required",
              "tools":[{"type":"function","name":"f"},{"type":"web_search"}]}}
            """)
        #expect(request.toolChoice == .required && request.tools.map(\.name) == ["f", nil])
    }

    // MARK: Answers

    @Test func `calls that are written in turns keep their places`() throws {
        let events: [ChatEvent] = [
            .toolCallBegan(index: 0, id: "c0", name: "f"), .toolCallArguments(index: 0, "{\"a\""),
            .toolCallBegan(index: 1, id: "c1", name: "g"), .toolCallArguments(index: 1, "{\"b\""),
            .toolCallArguments(index: 0, ":1}"), .toolCallArguments(index: 1, ":2}"),
            .finished(ChatFinish(.toolCalls)), .usage(ChatUsage(input: 3, output: 4)),
        ]
        let stream = stream(events, context())
        try ResponsesStreamCheck.check(stream)
        let reply = try #require(try codec.decodeStream(stream))
        #expect(reply.toolCalls.map(\.arguments) == [#"{"a":1}"#, #"{"b":2}"#])
        #expect(reply.usage == ChatUsage(input: 3, output: 4))
    }

    @Test(arguments: [#"{"input":"SELECT 1;"}"#, "SELECT 1;"])
    func `a tool that wants text gets it, whatever the model's dialect`(arguments: String) throws {
        let tools = [ChatTool(.custom(ChatTool.Custom(name: "sql")))]
        let pieces = arguments.map { ChatEvent.toolCallArguments(index: 0, String($0)) }
        let events =
            [.toolCallBegan(index: 0, id: "c0", name: "sql")] + pieces + [.finished(ChatFinish(.toolCalls))]
        let stream = stream(events, context(tools))
        try ResponsesStreamCheck.check(stream)
        let call = ChatToolCall(id: "c0", name: "sql", arguments: "SELECT 1;", isCustom: true)
        #expect(try codec.decodeStream(stream)?.toolCalls == [call])
        let whole = ChatReply(
            parts: [ChatPart(.toolCall(ChatToolCall(id: "c0", name: "sql", arguments: arguments)))],
            finish: ChatFinish(.toolCalls))
        #expect(try codec.decode(front.body(whole, context(tools))).toolCalls == [call])
    }

    @Test func `a seal of another dialect finds back through the client`() throws {
        let seal = ChatSeal("Ep+/==\"x", origin: .anthropic)
        let reply = ChatReply(
            parts: [ChatPart(.reasoning(ChatReasoning("hm", seal: seal)))], finish: ChatFinish(.stop))
        for body in [front.body(reply, context()), try finalResponse(stream(reply.events, context()))] {
            let output = try #require(try JSONDocument(parsing: body)["output"])
            let echo = "{\"model\":\"m\",\"input\":\(String(decoding: output.bytes, as: UTF8.self))}"
            let message = try #require(try read(echo).messages.first)
            #expect(message == ChatMessage(.assistant, reply.parts))
        }
    }

    @Test func `a thought that was named before its seal came is given back without that name`() throws {
        let seal = ChatSeal("gAAA", origin: .openAIResponses, id: "rs_real", replacesText: true)
        let events: [ChatEvent] = [
            .reasoning("hm", isSummary: true), .sealed(seal), .finished(ChatFinish(.stop)),
        ]
        let output = try #require(
            try JSONDocument(parsing: finalResponse(stream(events, context())))["output"])
        #expect(output.element(0)?["id"]?.string == "rs_hivegate_abc_0")
        let echo = "{\"model\":\"m\",\"input\":\(String(decoding: output.bytes, as: UTF8.self))}"
        let sent = try codec.encode(try read(echo), for: ChatTarget(model: "m"))
        let item = try #require(try JSONDocument(parsing: sent.body)["input"]?.element(0))
        #expect(item["encrypted_content"]?.string == "gAAA" && item["id"] == nil)
    }

    private func finalResponse(_ stream: [UInt8]) throws -> [UInt8] {
        let line = try #require(
            String(decoding: stream, as: UTF8.self).split(separator: "\n").last { $0.hasPrefix("data: ") })
        return Array(
            try #require(try JSONDocument(parsing: Array(line.dropFirst(6).utf8))["response"]).bytes)
    }

    @Test func `a stream that fails says so, and nothing in it looks whole`() throws {
        var encoder = front.streamEncoder(context())
        var stream: [UInt8] = []
        encoder.encode(.began(id: "x", model: "m-1"), into: &stream)
        encoder.encode(.text("half"), into: &stream)
        stream += OpenAIResponsesFront().keepAlive
        let problem = Problem(.badGateway, code: "upstream_failed", "The provider broke off.")
        encoder.fail(problem, into: &stream)
        let events = try ResponsesStreamCheck.events(stream)
        #expect(events.suffix(2).map { $0["type"] as? String } == ["error", "response.failed"])
        #expect(events.compactMap { $0["sequence_number"] as? Int } == Array(0..<events.count))
        let error = events[events.count - 2]["error"] as? [String: Any]
        #expect(error?["code"] as? String == "upstream_failed")
        let response = events.last?["response"] as? [String: Any]
        #expect(response?["status"] as? String == "failed")
        let reason = response?["error"] as? [String: Any]
        #expect(reason?["code"] as? String == "server_error")
        #expect(reason?["message"] as? String == "The provider broke off.")
        #expect(throws: UpstreamFault.self) { try codec.decodeStream(stream) }
    }
}
