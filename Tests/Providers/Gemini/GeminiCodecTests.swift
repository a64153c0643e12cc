import Base
import Chat
import JSON
import Testing

@testable import Providers

struct GeminiCodecTests {
    private let codec = GeminiCodec()

    private func encode(_ model: String = "gemini-2.5-flash", _ change: (inout ChatRequest) -> Void) throws
        -> (UpstreamRequest, JSONValue)
    {
        var request = ChatRequest(model: "alias", messages: [ChatMessage(role: .user, text: "x")])
        change(&request)
        let sent = try codec.encode(request, for: ChatTarget(model: model, maximumOutput: 100))
        return (sent, try JSONDocument(parsing: sent.body).root)
    }

    private func decode(_ candidate: String, _ more: String = "") throws -> ChatReply {
        try codec.decode(Array("{\"responseId\":\"r\",\"candidates\":[{\(candidate)}]\(more)}".utf8))
    }

    // MARK: Requests

    @Test func `the path says whether the answer is streamed`() throws {
        #expect(try encode { _ in }.0.path == "/v1beta/models/gemini-2.5-flash:generateContent")
        #expect(
            try encode("models/a b") { $0.isStreaming = true }.0.path
                == "/v1beta/models/a%20b:streamGenerateContent?alt=sse")
    }

    @Test func `what has no place is left out by name`() throws {
        let (sent, body) = try encode { request in
            request.hints.user = "anna"
            request.hints.metadata = [("a", "b")]
            request.hints.store = false
            request.allowsParallelToolCalls = false
            request.messages[0].parts[0].cache = ChatCacheMarker()
            request.sampling.maximumTokens = 5000
        }
        #expect(sent.omitted.sorted() == ["cache_control", "metadata", "parallel_tool_calls", "user"])
        #expect(body["generationConfig"]?["maxOutputTokens"]?.int == 100)
    }

    @Test func `what an answer would be wrong without is refused with its field`() throws {
        func field(_ change: (inout ChatRequest) -> Void) -> String? {
            do { _ = try encode("gemini-3-pro", change) } catch {
                return (error as? UpstreamRequest.Unsayable)?.field
            }
            return nil
        }
        #expect(field { $0.choiceCount = 2 } == "n")
        #expect(field { $0.messages = [ChatMessage(role: .system, text: "s")] } == "messages")
        let result = ChatPart(.toolResult(ChatToolResult(callID: "lost", parts: [.text("x")])))
        #expect(field { $0.messages.append(ChatMessage(.tool, [result])) } == "messages[1].content[0]")
        let item = try JSONDocument(parsing: Array("{}".utf8)).root
        let search = ChatTool(.provided(.openAIResponses, type: "web_search", item))
        #expect(field { $0.tools = [search] } == "tools[0]")
    }

    @Test func `results of one turn come together, each with the name of its call`() throws {
        let (_, body) = try encode { request in
            request.messages.append(
                ChatMessage(
                    .assistant,
                    [
                        ChatPart(.toolCall(ChatToolCall(id: "a", name: "f", arguments: "{}"))),
                        ChatPart(.toolCall(ChatToolCall(id: "b", name: "g", arguments: "broken"))),
                    ]))
            for id in ["a", "b"] {
                let result = ChatToolResult(callID: id, parts: [.text("r")], isError: id == "b")
                request.messages.append(ChatMessage(.tool, [ChatPart(.toolResult(result))]))
            }
        }
        let contents = try #require(body["contents"])
        #expect(contents.count == 3)
        let results = try #require(contents.element(2)?["parts"])
        #expect(results.elements.map { $0["functionResponse"]?["name"]?.string } == ["f", "g"])
        #expect(results.element(0)?["functionResponse"]?["response"]?["output"]?.string == "r")
        #expect(results.element(1)?["functionResponse"]?["response"]?["error"]?.string == "r")
        let broken = contents.element(1)?["parts"]?.element(1)?["functionCall"]?["args"]
        #expect(broken?["input"]?.string == "broken")
    }

    @Test func `a tool that wants text is called with an object that holds it`() throws {
        let (_, body) = try encode { $0.tools = [ChatTool(.custom(ChatTool.Custom(name: "sql")))] }
        let function = body["tools"]?.element(0)?["functionDeclarations"]?.element(0)
        #expect(function?["parametersJsonSchema"]?["required"]?.element(0)?.string == "input")
    }

    @Test func `calls that no Gemini has made are signed as such, where signatures are wanted`() throws {
        func signatures(_ model: String, _ seal: ChatSeal?) throws -> [String?] {
            let (_, body) = try encode(model) { request in
                let thought = seal.map { [ChatPart(.reasoning(ChatReasoning("", seal: $0)))] } ?? []
                let calls = ["a", "b"].map {
                    ChatPart(.toolCall(ChatToolCall(id: $0, name: "f", arguments: "{}")))
                }
                request.messages.append(ChatMessage(.assistant, thought + calls))
            }
            let parts = try #require(body["contents"]?.element(1)?["parts"])
            return parts.elements.map { $0["thoughtSignature"]?.string }
        }
        #expect(try signatures("gemini-2.5-pro", nil) == [nil, nil])
        #expect(try signatures("gemini-3-pro", nil) == ["skip_thought_signature_validator", nil])
        let foreign = ChatSeal("Ep", origin: .anthropic)
        #expect(try signatures("gemini-3-pro", foreign) == ["skip_thought_signature_validator", nil])
        #expect(try signatures("gemini-3-pro", ChatSeal("own", origin: .gemini)) == ["own", nil])
    }

    @Test(arguments: [
        ("gemini-2.5-flash", ChatReasoningOptions.Amount.off, #"{"thinkingBudget":0}"#),
        ("gemini-2.5-pro", .off, #"{"thinkingBudget":128}"#),
        ("gemini-2.5-pro", .effort(.high), #"{"thinkingBudget":24576}"#),
        ("gemini-2.5-pro", .adaptive, #"{"thinkingBudget":-1}"#),
        ("gemini-3-flash-preview", .off, #"{"thinkingLevel":"minimal"}"#),
        ("gemini-3-pro-preview", .effort(.minimal), #"{"thinkingLevel":"low"}"#),
        ("gemini-3.6-flash", .effort(.max), #"{"thinkingLevel":"high"}"#),
        ("gemini-3.6-flash", .tokens(700), #"{"thinkingBudget":700}"#),
        ("gemini-flash-latest", .effort(.low), #"{"thinkingBudget":1024}"#),
    ])
    func `each model is told in its words how much to think`(
        model: String, amount: ChatReasoningOptions.Amount, expected: String
    ) throws {
        let (_, body) = try encode(model) { $0.reasoning = ChatReasoningOptions(amount) }
        let config = try #require(body["generationConfig"]?["thinkingConfig"])
        #expect(String(decoding: config.bytes, as: UTF8.self) == expected)
    }

    @Test func `a model that does not think is not told to`() throws {
        let (sent, body) = try encode("gemini-2.0-flash") {
            $0.reasoning = ChatReasoningOptions(.effort(.high))
        }
        #expect(body["generationConfig"]?["thinkingConfig"] == nil && sent.omitted == ["reasoning_effort"])
    }

    @Test func `a count of tokens has the instructions and the tools in it`() throws {
        var request = ChatRequest(
            model: "m",
            messages: [ChatMessage(role: .system, text: "s"), ChatMessage(role: .user, text: "x")])
        request.sampling.temperature = 1
        let sent = try GeminiTokenCount.encode(request, for: ChatTarget(model: "gemini-2.5-flash"))
        let body = try #require(try JSONDocument(parsing: sent.body)["generateContentRequest"])
        #expect(sent.path == "/v1beta/models/gemini-2.5-flash:countTokens")
        #expect(body["model"]?.string == "models/gemini-2.5-flash" && body["contents"]?.count == 1)
        #expect(body["systemInstruction"] != nil && body["generationConfig"] == nil)
        #expect(throws: UpstreamFault.self) { try GeminiTokenCount.decode(Array("{}".utf8)) }
    }

    // MARK: Answers

    @Test(arguments: [
        ("STOP", ChatFinish.Reason.stop), ("MAX_TOKENS", .length), ("SAFETY", .contentFilter),
        ("RECITATION", .contentFilter), ("BLOCKLIST", .contentFilter), ("PROHIBITED_CONTENT", .contentFilter),
        ("SPII", .contentFilter), ("SOMETHING_NEW", .contentFilter),
    ])
    func `an answer says why it has ended`(reason: String, expected: ChatFinish.Reason) throws {
        #expect(try decode("\"finishReason\":\"\(reason)\"").finish.reason == expected)
    }

    @Test func `a prompt that is blocked is an answer without words`() throws {
        let body = #"{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":4}}"#
        let reply = try codec.decode(Array(body.utf8))
        #expect(reply.finish.reason == .contentFilter && reply.parts == [])
        #expect(reply.usage == ChatUsage(input: 4))
        let stream = "data: \(body)\r\n\r\n"
        #expect(try codec.decodeStream(Array(stream.utf8)) == reply)
    }

    @Test func `a call that the provider cannot read is no answer`() {
        #expect {
            try decode(
                #""finishReason":"MALFORMED_FUNCTION_CALL","finishMessage":"bad""#,
                #","usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2}"#)
        } throws: { error in
            let fault = error as? UpstreamFault
            return fault?.code == "MALFORMED_FUNCTION_CALL" && fault?.message == "bad"
                && fault?.usage == ChatUsage(input: 3, output: 2)
        }
    }

    @Test(arguments: ["{}", "[]", "{", #"{"candidates":[{"content":{"parts":[{"text":"x"}]}}]}"#])
    func `what is no answer is not taken for one`(body: String) {
        #expect { try codec.decode(Array(body.utf8)) } throws: { ($0 as? UpstreamFault)?.kind == .garbled }
        #expect(throws: UpstreamFault.self) { try codec.decodeStream(Array("data: \(body)\r\n\r\n".utf8)) }
    }

    @Test func `calls without names are named after their answer`() throws {
        let call = #"{"functionCall":{"name":"f"}}"#
        let reply = try decode("\"content\":{\"parts\":[\(call),\(call)]},\"finishReason\":\"STOP\"")
        #expect(reply.toolCalls.map(\.id) == ["call_r_0", "call_r_1"])
        #expect(reply.toolCalls.map(\.arguments) == ["{}", "{}"] && reply.finish.reason == .toolCalls)
    }

    @Test func `no token is counted twice`() throws {
        let usage = """
            ,"usageMetadata":{"promptTokenCount":100,"cachedContentTokenCount":40,"candidatesTokenCount":30,
            "thoughtsTokenCount":7,"toolUsePromptTokenCount":5,
            "promptTokensDetails":[{"modality":"TEXT","tokenCount":80},{"modality":"AUDIO","tokenCount":20}],
            "cacheTokensDetails":[{"modality":"AUDIO","tokenCount":8}],
            "candidatesTokensDetails":[{"modality":"AUDIO","tokenCount":10}]}
            """
        let reply = try decode(#""finishReason":"STOP""#, usage)
        #expect(
            reply.usage
                == ChatUsage(
                    input: 53, cacheRead: 40, audioInput: 12, output: 20, reasoning: 7, audioOutput: 10))
    }

    @Test func `sources are said once, behind what they are the sources of`() throws {
        let chunk = #"{"web":{"uri":"https://a","title":"A"}}"#
        let reply = try decode(
            #""content":{"parts":[{"text":"x"},{"text":"","thoughtSignature":"s"}]},"finishReason":"STOP","#
                + "\"groundingMetadata\":{\"groundingChunks\":[\(chunk),\(chunk)]}")
        #expect(
            reply.parts == [
                ChatPart(.text(ChatText("x", citations: [ChatCitation(url: "https://a", title: "A")]))),
                ChatPart(.reasoning(ChatReasoning("", seal: ChatSeal("s", origin: .gemini)))),
            ])
    }

    @Test(arguments: [
        (400, "INVALID_ARGUMENT", "bad", UpstreamFault.Kind.invalidRequest),
        (400, "INVALID_ARGUMENT", "The input token count (9) exceeds the maximum", .contextTooLong),
        (400, "FAILED_PRECONDITION", "billing", .forbidden), (403, "PERMISSION_DENIED", "no", .forbidden),
        (429, "RESOURCE_EXHAUSTED", "quota", .rateLimited), (500, "INTERNAL", "x", .failed),
        (503, "UNAVAILABLE", "x", .overloaded), (504, "DEADLINE_EXCEEDED", "x", .timedOut),
    ])
    func `errors are understood, at once and in the middle`(
        status: Int, name: String, message: String, kind: UpstreamFault.Kind
    ) throws {
        let body = "{\"error\":{\"code\":\(status),\"message\":\"\(message)\",\"status\":\"\(name)\"}}"
        let fault = codec.fault(status: status, body: Array(body.utf8))
        #expect(fault.kind == kind && fault.message == message && fault.code == name)
        #expect(codec.fault(status: status, body: Array("[\(body)]".utf8)) == fault)
        #expect { try codec.events(of: Array("data: \(body)\r\n\r\n".utf8)) } throws: {
            ($0 as? UpstreamFault) == fault
        }
    }

    @Test func `a wrong key is told from a wrong request`() {
        let body =
            #"{"error":{"code":400,"message":"m","status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}"#
        #expect(codec.fault(status: 400, body: Array(body.utf8)).kind == .unauthenticated)
        #expect(codec.fault(status: 502, body: Array("<html>".utf8)).kind == .failed)
    }
}
