import Chat
import JSON
import Testing

@testable import Providers

/// How what other dialects say becomes what Anthropic takes.
struct AnthropicRequestTests {
    private let codec = AnthropicCodec()

    private func request(_ messages: [ChatMessage]) -> ChatRequest {
        ChatRequest(model: "house/model", messages: messages)
    }

    private let hello = ChatMessage(role: .user, text: "hello")

    private func encoded(_ request: ChatRequest, maximumOutput: Int? = nil) throws -> (
        body: JSONValue, omitted: [String]
    ) {
        let target = ChatTarget(model: "claude-x", maximumOutput: maximumOutput)
        let written = try codec.encode(request, for: target)
        return (try JSONDocument(parsing: written.body).root, written.omitted)
    }

    private func json(_ text: String) throws -> JSONValue { try JSONDocument(parsing: Array(text.utf8)).root }

    private func unsayable(_ request: ChatRequest) -> UpstreamRequest.Unsayable? {
        do throws(UpstreamRequest.Unsayable) {
            _ = try codec.encode(request, for: ChatTarget(model: "claude-x"))
            return nil
        } catch { return error }
    }

    // MARK: Turns

    @Test func `results of tools and what the user says next are one turn`() throws {
        func result(_ id: String) -> ChatMessage {
            ChatMessage(.tool, [ChatPart(.toolResult(ChatToolResult(callID: id, parts: [.text("r\(id)")])))])
        }
        func call(_ id: String) -> ChatPart {
            ChatPart(.toolCall(ChatToolCall(id: id, name: "f", arguments: #"{"a":1}"#)))
        }
        let body = try encoded(
            request([
                hello, ChatMessage(.assistant, [call("1"), call("2")]), result("1"), result("2"),
                ChatMessage(role: .user, text: "go on"),
            ])
        ).body
        let expected = try json(
            #"""
            [{"role":"user","content":[{"type":"text","text":"hello"}]},
             {"role":"assistant","content":[{"type":"tool_use","id":"1","name":"f","input":{"a":1}},
               {"type":"tool_use","id":"2","name":"f","input":{"a":1}}]},
             {"role":"user","content":[
               {"type":"tool_result","tool_use_id":"1","content":[{"type":"text","text":"r1"}]},
               {"type":"tool_result","tool_use_id":"2","content":[{"type":"text","text":"r2"}]},
               {"type":"text","text":"go on"}]}]
            """#)
        #expect(body["messages"] == expected)
    }

    @Test func `instructions before the first turn stand apart, later ones where they came`() throws {
        let body = try encoded(
            request([
                ChatMessage(role: .system, text: "a"), ChatMessage(role: .developer, text: "b"), hello,
                ChatMessage(role: .assistant, text: "hi"), ChatMessage(role: .developer, text: "c"),
                ChatMessage(role: .user, text: "more"),
            ])
        ).body
        #expect(
            body["system"]
                == (try json(#"[{"type":"text","text":"a"},{"type":"text","text":"b"}]"#)))
        let roles = body["messages"]?.elements.map { $0["role"]?.string }
        #expect(roles == ["user", "assistant", "system", "user"])
    }

    @Test func `texts without a visible character are not sent, nor turns of nothing else`() throws {
        let body = try encoded(
            request([
                hello, ChatMessage(.assistant, [.text(""), .text(" \n")]),
                ChatMessage(.user, [.text(""), .text("x")]),
            ])
        ).body
        #expect(
            body["messages"]
                == (try json(
                    #"[{"role":"user","content":[{"type":"text","text":"hello"},{"type":"text","text":"x"}]}]"#
                )))
        #expect(unsayable(request([ChatMessage(role: .user, text: " ")]))?.field == "messages")
        #expect(unsayable(request([ChatMessage(role: .system, text: "x")]))?.field == "messages")
    }

    @Test func `only thoughts that Anthropic sealed are sent, and other providers' own values are not`()
        throws
    {
        func thought(_ origin: ChatDialect?) -> ChatPart {
            let seal = origin.map { ChatSeal("s", origin: $0) }
            return ChatPart(.reasoning(ChatReasoning("t", seal: seal)))
        }
        let foreign = ChatPart(.opaque(.gemini, type: "x", try json(#"{"type":"x"}"#)))
        let body = try encoded(
            request([
                hello,
                ChatMessage(
                    .assistant, [thought(nil), thought(.gemini), thought(.anthropic), foreign, .text("a")]),
            ])
        ).body
        #expect(
            body["messages"]?.element(1)?["content"]
                == (try json(
                    #"[{"type":"thinking","thinking":"t","signature":"s"},{"type":"text","text":"a"}]"#)))
    }

    @Test func `identifiers of calls are what Anthropic allows, and results still find them`() throws {
        let call = ChatToolCall(id: "call:1|é", name: "f", arguments: " ")
        let result = ChatToolResult(callID: "call:1|é", parts: [], isError: true)
        let body = try encoded(
            request([
                hello, ChatMessage(.assistant, [ChatPart(.toolCall(call))]),
                ChatMessage(.tool, [ChatPart(.toolResult(result))]),
            ])
        ).body
        let messages = try #require(body["messages"])
        let id = messages.element(1)?["content"]?.element(0)?["id"]?.string
        #expect(id == "call_1___")
        #expect(messages.element(1)?["content"]?.element(0)?["input"] == (try json("{}")))
        #expect(
            messages.element(2)?["content"]
                == (try json(#"[{"type":"tool_result","tool_use_id":"call_1___","is_error":true}]"#)))
    }

    @Test func `arguments that are no object are named, never guessed`() {
        for arguments in [#"{"a":"#, "[1]", "7"] {
            let call = ChatToolCall(id: "1", name: "f", arguments: arguments)
            let request = request([hello, ChatMessage(.assistant, [.text("x"), ChatPart(.toolCall(call))])])
            #expect(unsayable(request)?.field == "messages[1].content[1]")
        }
    }

    @Test func `media that Anthropic cannot take are named`() throws {
        for media in [
            ChatMedia(.audio, .base64("AA==")), ChatMedia(.video, .url("https://x")),
            ChatMedia(.file, .base64("AA=="), mediaType: "application/zip"),
            ChatMedia(.image, .base64("AA==")), ChatMedia(.image, .text("x")),
        ] {
            let request = request([ChatMessage(.user, [.text("x"), ChatPart(.media(media))])])
            #expect(unsayable(request)?.field == "messages[0].content[1]")
        }
    }

    @Test func `documents and images are sent as what they are`() throws {
        let media = [
            ChatMedia(.image, .base64("/9j/4AAQ")), ChatMedia(.file, .base64("JVBERi0x"), name: "a.pdf"),
            ChatMedia(.file, .base64("aMOp"), mediaType: "text/csv"),
            ChatMedia(.file, .base64("iVBORw0KGgo="), mediaType: "image/png"),
        ]
        let body = try encoded(request([ChatMessage(.user, media.map { ChatPart(.media($0)) })])).body
        let expected = try json(
            #"""
            [{"type":"image","source":{"type":"base64","media_type":"image/jpeg","data":"/9j/4AAQ"}},
             {"type":"document","title":"a.pdf",
              "source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0x"}},
             {"type":"document","source":{"type":"text","media_type":"text/plain","data":"hé"}},
             {"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}}]
            """#)
        #expect(body["messages"]?.element(0)?["content"] == expected)
    }

    // MARK: The answer

    @Test func `an answer is as long as the client says, or the model can, or 4096 tokens`() throws {
        var request = request([hello])
        #expect(try encoded(request).body["max_tokens"]?.int == 4096)
        #expect(try encoded(request, maximumOutput: 8192).body["max_tokens"]?.int == 8192)
        request.sampling.maximumTokens = 7
        #expect(try encoded(request, maximumOutput: 8192).body["max_tokens"]?.int == 7)
    }

    @Test(
        arguments: [
            (2000, 5000, 2000, 5000), (5000, 2000, 1999, 2000), (10, 2000, 1024, 2000),
            (5000, 1024, nil, 1024),
            (5000, nil, 5000, 9096),
        ] as [(Int, Int?, Int?, Int)])
    func `a budget of thoughts fits into the client's limit`(
        asked: Int, limit: Int?, budget: Int?, maximum: Int
    ) throws {
        var request = request([hello])
        request.sampling.maximumTokens = limit
        request.reasoning = ChatReasoningOptions(.tokens(asked))
        let (body, omitted) = try encoded(request)
        #expect(body["max_tokens"]?.int == maximum)
        #expect(body["thinking"]?["budget_tokens"]?.int == budget)
        #expect(body["thinking"]?["type"]?.string == (budget == nil ? nil : "enabled"))
        #expect(omitted == (budget == nil ? ["reasoning"] : []))
    }

    @Test func `effort is adaptive thinking, and none is none`() throws {
        var request = request([hello])
        for (effort, word) in [("minimal", "low"), ("low", "low"), ("xhigh", "xhigh"), ("max", "max")] {
            request.reasoning = ChatReasoningOptions(
                .effort(try #require(ChatReasoningOptions.Effort(rawValue: effort))))
            let body = try encoded(request).body
            #expect(body["thinking"] == (try json(#"{"type":"adaptive"}"#)))
            #expect(body["output_config"] == (try json(#"{"effort":"\#(word)"}"#)))
        }
        request.reasoning = ChatReasoningOptions(.off)
        #expect(try encoded(request).body["thinking"] == (try json(#"{"type":"disabled"}"#)))
    }

    @Test func `what cannot go together with thoughts is left out by name`() throws {
        var request = request([hello])
        request.reasoning = ChatReasoningOptions(.adaptive)
        request.sampling.temperature = 0.5
        request.sampling.topK = 3
        request.sampling.topP = 0.5
        let (body, omitted) = try encoded(request)
        #expect(body["temperature"] == nil && body["top_k"] == nil && body["top_p"] == nil)
        #expect(Set(omitted) == ["temperature", "top_k", "top_p"])
        request.tools = [ChatTool(.function(.init(name: "f")))]
        request.toolChoice = .required
        let forced = try encoded(request)
        #expect(forced.body["thinking"] == nil && forced.body["temperature"]?.double == 0.5)
        #expect(forced.omitted == ["reasoning"])
    }

    @Test func `what Anthropic has no words for is left out by name`() throws {
        var request = request([ChatMessage(.user, [.text("x")], name: "Ann")])
        request.sampling.seed = 1
        request.sampling.frequencyPenalty = 1
        request.sampling.presencePenalty = 1
        request.sampling.temperature = 1.7
        request.sampling.stop = ["\n", "END"]
        request.hints.promptCacheKey = "k"
        request.hints.verbosity = "low"
        request.hints.store = true
        request.hints.metadata = [("a", "b")]
        request.hints.serviceTier = "flex"
        let (body, omitted) = try encoded(request)
        #expect(
            Set(omitted) == [
                "messages.name", "seed", "frequency_penalty", "presence_penalty", "temperature", "stop",
                "prompt_cache_key", "verbosity", "store", "metadata", "service_tier",
            ])
        #expect(
            Set(body.members.map(\.key.string)) == [
                "model", "messages", "max_tokens", "temperature", "stop_sequences",
            ])
        #expect(body["temperature"]?.double == 1)
        #expect(body["stop_sequences"] == (try json(#"["END"]"#)))
        request.choiceCount = 2
        #expect(unsayable(request)?.field == "n")
    }

    @Test func `any JSON is asked for in words, a schema in Anthropic's own`() throws {
        var request = request([ChatMessage(role: .system, text: "s"), hello])
        request.output = .json
        let system = try encoded(request).body["system"]
        #expect(system?.element(0)?["text"]?.string == "s")
        #expect(system?.element(1)?["text"]?.string == "Answer with one JSON object and nothing else.")
        request.output = .schema(.init(name: "n", schema: try json(#"{"type":"object"}"#)))
        #expect(
            try encoded(request).body["output_config"]
                == json(#"{"format":{"type":"json_schema","schema":{"type":"object"}}}"#))
    }

    @Test func `tools of every kind are offered, those of other providers named`() throws {
        var request = request([hello])
        request.tools = [
            ChatTool(.function(.init(name: "f", parameters: try json(#"{"properties":{}}"#)))),
            ChatTool(
                .custom(
                    .init(
                        name: "c", description: "d", format: try json(#"{"type":"grammar","definition":"G"}"#)
                    ))),
        ]
        request.allowsParallelToolCalls = false
        let body = try encoded(request).body
        let expected = try json(
            #"""
            [{"name":"f","input_schema":{"type":"object","properties":{}}},
             {"name":"c","description":"d\n\nThe input must follow this grammar:\nG",
              "input_schema":{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}}]
            """#)
        #expect(body["tools"] == expected)
        #expect(body["tool_choice"] == (try json(#"{"type":"auto","disable_parallel_tool_use":true}"#)))
        request.tools.append(ChatTool(.provided(.openAIResponses, type: "web_search", try json("{}"))))
        #expect(unsayable(request)?.field == "tools[2]")
    }

    @Test func `a call of a tool that takes text is sent as one with that text`() throws {
        let call = ChatToolCall(id: "1", name: "c", arguments: "say \"x\"", isCustom: true)
        let body = try encoded(request([hello, ChatMessage(.assistant, [ChatPart(.toolCall(call))])])).body
        #expect(
            body["messages"]?.element(1)?["content"]?.element(0)?["input"]
                == (try json(#"{"input":"say \"x\""}"#)))
    }

    @Test func `to count tokens, only what is read is sent`() throws {
        var request = request([hello])
        request.sampling.maximumTokens = 5
        request.sampling.temperature = 1
        request.isStreaming = true
        request.hints.user = "u"
        let written = try codec.encodeCount(request, for: ChatTarget(model: "claude-x"))
        let body = try JSONDocument(parsing: written.body).root
        #expect(Set(body.members.map(\.key.string)) == ["model", "messages"])
        #expect(throws: UpstreamFault.self) { try codec.decodeCount(Array(#"{"input_tokens":-1}"#.utf8)) }
    }

    @Test func `files kept by the provider are asked for`() throws {
        let media = ChatMedia(.image, .file(id: "file_1"))
        let request = request([ChatMessage(.user, [ChatPart(.media(media))])])
        let written = try codec.encode(request, for: ChatTarget(model: "claude-x"))
        #expect(written.fields.contains { $0.name == "anthropic-beta" && $0.value.hasPrefix("files-api") })
    }
}
