import Base
import Chat
import JSON
import Testing

@testable import Providers

/// How what other dialects say becomes what Bedrock takes, and what comes back.
struct BedrockCodecTests {
    private let claude = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
    private let nova = "amazon.nova-pro-v1:0"
    private let hello = ChatMessage(role: .user, text: "hello")

    private func request(_ messages: [ChatMessage]) -> ChatRequest {
        ChatRequest(model: "house/model", messages: messages)
    }

    private func encoded(_ request: ChatRequest, model: String? = nil) throws -> (
        body: JSONValue, omitted: Set<String>
    ) {
        let model = model ?? claude
        let written = try BedrockCodec(model: model).encode(request, for: ChatTarget(model: model))
        return (try JSONDocument(parsing: written.body).root, Set(written.omitted))
    }

    private func unsayable(_ request: ChatRequest) -> String? {
        do throws(UpstreamRequest.Unsayable) {
            _ = try BedrockCodec(model: claude).encode(request, for: ChatTarget(model: claude))
            return nil
        } catch { return error.field }
    }

    private func json(_ text: String) throws -> JSONValue { try JSONDocument(parsing: Array(text.utf8)).root }

    // MARK: Requests

    @Test func `a conversation with tools, marks and failures is said in blocks`() throws {
        let cache = ChatCacheMarker(lifetime: "1h")
        let call = ChatToolCall(id: "call:1", name: "f", arguments: #"{"a":1}"#)
        let result = ChatToolResult(callID: "call:1", parts: [.text("r")], isError: true)
        var asked = request([
            ChatMessage(.system, [ChatPart(.text(ChatText("s")), cache: cache)]), hello,
            ChatMessage(.assistant, [.text(""), ChatPart(.toolCall(call))]),
            ChatMessage(.tool, [ChatPart(.toolResult(result), cache: ChatCacheMarker())]),
            ChatMessage(role: .developer, text: "later"), ChatMessage(role: .user, text: "on"),
        ])
        asked.tools = [ChatTool(.function(.init(name: "f")), cache: cache)]
        asked.toolChoice = .tool(name: "f")
        let body = try encoded(asked).body
        let expected = try json(
            #"""
            {"system":[{"text":"s"},{"cachePoint":{"type":"default","ttl":"1h"}},{"text":"later"}],
             "messages":[{"role":"user","content":[{"text":"hello"}]},
              {"role":"assistant","content":[{"toolUse":{"toolUseId":"call_1","name":"f","input":{"a":1}}}]},
              {"role":"user","content":[{"toolResult":{"toolUseId":"call_1","status":"error",
                "content":[{"text":"r"}]}},{"cachePoint":{"type":"default"}},{"text":"on"}]}],
             "toolConfig":{"tools":[{"toolSpec":{"name":"f",
               "inputSchema":{"json":{"type":"object","properties":{}}}}},
               {"cachePoint":{"type":"default","ttl":"1h"}}],"toolChoice":{"tool":{"name":"f"}}},
             "inferenceConfig":{}}
            """#)
        #expect(body == expected)
        let other = try encoded(asked, model: "meta.llama3-70b-instruct-v1:0")
        #expect(!String(decoding: other.body.bytes, as: UTF8.self).contains("cachePoint"))
        #expect(other.omitted == ["cache_control", "is_error"])
    }

    @Test func `media are sent as bytes of a format, and documents have names of their own`() throws {
        let media = [
            ChatMedia(.image, .base64("/9j/4AAQ")),
            ChatMedia(.file, .base64("JVBERi0x"), name: "a_b!.pdf"),
            ChatMedia(.file, .text("é"), name: "a b  pdf"),
            ChatMedia(.video, .url("s3://bucket/film"), mediaType: "video/quicktime"),
        ]
        let body = try encoded(request([ChatMessage(.user, media.map { ChatPart(.media($0)) })])).body
        let expected = try json(
            #"""
            [{"image":{"format":"jpeg","source":{"bytes":"/9j/4AAQ"}}},
             {"document":{"format":"pdf","name":"a b pdf","source":{"bytes":"JVBERi0x"}}},
             {"document":{"format":"txt","name":"a b pdf 2","source":{"bytes":"w6k="}}},
             {"video":{"format":"mov","source":{"s3Location":{"uri":"s3://bucket/film"}}}}]
            """#)
        #expect(body["messages"]?.element(0)?["content"] == expected)
        for media in [
            ChatMedia(.image, .url("https://x/y.png")), ChatMedia(.image, .base64("AA==")),
            ChatMedia(.file, .file(id: "f")), ChatMedia(.file, .base64("AA=="), mediaType: "application/zip"),
        ] {
            #expect(
                unsayable(request([ChatMessage(.user, [ChatPart(.media(media))])]))
                    == "messages[0].content[0]")
        }
    }

    @Test func `thoughts are asked for as the model's family does`() throws {
        var asked = request([hello])
        asked.sampling.maximumTokens = 4000
        asked.sampling.temperature = 0.5
        asked.sampling.topK = 7
        asked.reasoning = ChatReasoningOptions(.tokens(2000))
        let budget = try encoded(asked)
        #expect(
            budget.body["additionalModelRequestFields"]
                == (try json(#"{"thinking":{"type":"enabled","budget_tokens":2000}}"#)))
        #expect(budget.body["inferenceConfig"] == (try json(#"{"maxTokens":4000}"#)))
        #expect(budget.omitted == ["temperature", "top_k"])
        asked.reasoning = ChatReasoningOptions(.effort(.high))
        let effort = try encoded(asked)
        #expect(
            effort.body["additionalModelRequestFields"] == (try json(#"{"thinking":{"type":"adaptive"}}"#)))
        #expect(effort.body["outputConfig"] == (try json(#"{"effort":"high"}"#)))
        let open = try encoded(asked, model: "openai.gpt-oss-120b-1:0")
        #expect(open.body["additionalModelRequestFields"] == (try json(#"{"reasoning_effort":"high"}"#)))
        #expect(open.omitted == ["top_k"])
        let other = try encoded(asked, model: nova)
        #expect(
            other.body["additionalModelRequestFields"] == (try json(#"{"inferenceConfig":{"topK":7}}"#)))
        #expect(other.body["inferenceConfig"]?["temperature"]?.double == 0.5)
        #expect(other.omitted == ["reasoning"])
        asked.reasoning = nil
        #expect(
            try encoded(asked).body["additionalModelRequestFields"] == json(#"{"top_k":7}"#))
    }

    @Test func `what Bedrock has no words for is left out by name`() throws {
        var asked = request([ChatMessage(.user, [.text("x")], name: "Ann")])
        asked.sampling.seed = 1
        asked.sampling.frequencyPenalty = 1
        asked.sampling.presencePenalty = 1
        asked.sampling.temperature = 1.7
        asked.sampling.stop = ["\n", "END"]
        asked.hints.promptCacheKey = "k"
        asked.hints.verbosity = "low"
        asked.hints.store = true
        asked.hints.metadata = [("a", "b")]
        asked.hints.user = "u"
        asked.hints.serviceTier = "standard_only"
        let (body, omitted) = try encoded(asked)
        #expect(
            omitted == [
                "messages.name", "seed", "frequency_penalty", "presence_penalty", "temperature", "stop",
                "prompt_cache_key", "verbosity", "store", "metadata", "user", "service_tier",
            ])
        #expect(
            body["inferenceConfig"] == (try json(#"{"temperature":1.0,"stopSequences":["END"]}"#)))
        #expect(body["additionalModelResponseFieldPaths"] == (try json(#"["/stop_sequence"]"#)))
        asked.hints.serviceTier = "flex"
        #expect(try encoded(asked).body["serviceTier"] == json(#"{"type":"flex"}"#))
        asked.choiceCount = 2
        #expect(unsayable(asked) == "n")
    }

    @Test func `a conversation that called tools cannot go on without them`() throws {
        let call = ChatPart(.toolCall(ChatToolCall(id: "1", name: "f", arguments: "{}")))
        var asked = request([hello, ChatMessage(.assistant, [call])])
        #expect(unsayable(asked) == "tools")
        asked.tools = [ChatTool(.function(.init(name: "f")))]
        asked.toolChoice = ChatToolChoice.none
        #expect(unsayable(asked) == "tool_choice")
        asked.messages = [hello]
        #expect(try encoded(asked).body["toolConfig"] == nil)
    }

    @Test func `any JSON is asked for in words`() throws {
        var asked = request([hello])
        asked.output = .json
        #expect(
            try encoded(asked).body["system"]
                == json(#"[{"text":"Answer with one JSON object and nothing else."}]"#))
    }

    // MARK: Seals

    @Test func `a thought of Claude travels between Anthropic and Bedrock byte for byte`() throws {
        for replacesText in [false, true] {
            let seal = ChatSeal("EtkECkYI+/=", origin: .anthropic, replacesText: replacesText)
            let thought = ChatPart(.reasoning(ChatReasoning(replacesText ? "" : "hm", seal: seal)))
            let written = try encoded(request([hello, ChatMessage(.assistant, [thought])])).body
            let block = try #require(written["messages"]?.element(1)?["content"]?.element(0))
            let answer = #"""
                {"output":{"message":{"content":[\#(String(decoding: block.bytes, as: UTF8.self))]}},
                 "stopReason":"end_turn"}
                """#
            let reply = try BedrockCodec(model: claude).decode(Array(answer.utf8))
            #expect(reply.parts == [thought])
            let anthropic = try AnthropicCodec().encode(
                request([hello, ChatMessage(.assistant, reply.parts)]), for: ChatTarget(model: "m"))
            #expect(String(decoding: anthropic.body, as: UTF8.self).contains("EtkECkYI+"))
        }
    }

    @Test func `a seal of another family is not sent`() throws {
        for (origin, model) in [(ChatDialect.anthropic, nova), (.bedrock, claude), (.gemini, claude)] {
            let thought = ChatPart(.reasoning(ChatReasoning("t", seal: ChatSeal("s", origin: origin))))
            let body = try encoded(request([hello, ChatMessage(.assistant, [thought])]), model: model).body
            #expect(body["messages"]?.count == 1)
        }
        let profile = "arn:aws:bedrock:us-east-1:1:application-inference-profile/x"
        let codec = BedrockCodec(model: profile, isAnthropic: true)
        let answer =
            #"{"output":{"message":{"content":[{"reasoningContent":{"reasoningText":{"text":"t","signature":"s"}}}]}},"stopReason":"end_turn"}"#
        let reply = try codec.decode(Array(answer.utf8))
        #expect(
            reply.parts == [ChatPart(.reasoning(ChatReasoning("t", seal: ChatSeal("s", origin: .anthropic))))]
        )
    }

    // MARK: Answers

    private func stream(_ events: (String, String)...) -> [UInt8] {
        events.flatMap { name, payload in
            EventStreamTests.frame([(":message-type", "event"), (":event-type", name)], payload)
        }
    }

    private let end = [
        ("messageStop", #"{"stopReason":"end_turn"}"#),
        (
            "metadata",
            #"{"usage":{"inputTokens":9,"outputTokens":3,"cacheReadInputTokens":4,"cacheWriteInputTokens":7,"cacheDetails":[{"ttl":"1h","inputTokens":2}]}}"#
        ),
    ]

    private func failure(_ bytes: [UInt8]) -> UpstreamFault? {
        do {
            _ = try BedrockCodec(model: claude).decodeStream(bytes)
            return nil
        } catch { return error as? UpstreamFault }
    }

    @Test func `no token is counted twice`() throws {
        let reply = try BedrockCodec(model: claude).decodeStream(stream(end[0], end[1]))
        #expect(
            reply?.usage == ChatUsage(input: 9, cacheRead: 4, cacheWrite: 5, cacheWriteHour: 2, output: 3))
    }

    @Test(arguments: [
        ("throttlingException", UpstreamFault.Kind.rateLimited), ("validationException", .invalidRequest),
        ("internalServerException", .failed), ("modelStreamErrorException", .failed),
        ("serviceUnavailableException", .overloaded), ("neverSeenException", .failed),
    ])
    func `an exception in a stream is what its name says`(name: String, kind: UpstreamFault.Kind) {
        let frame = EventStreamTests.frame(
            [(":message-type", "exception"), (":exception-type", name)], #"{"message":"why"}"#)
        let fault = failure(stream(("messageStart", "{}")) + frame)
        #expect(fault?.kind == kind && fault?.message == "why" && fault?.code == name)
        let error = EventStreamTests.frame(
            [(":message-type", "error"), (":error-code", name), (":error-message", "why")], "")
        #expect(failure(error)?.kind == kind && failure(error)?.message == "why")
    }

    @Test func `an answer that is no success says what is wrong`() {
        func kind(_ status: Int, _ body: String) -> UpstreamFault.Kind {
            BedrockCodec(model: claude).fault(status: status, body: Array(body.utf8)).kind
        }
        let name = "com.amazon.coral.service#UnrecognizedClientException"
        #expect(kind(403, #"{"__type":"\#(name)","message":"x"}"#) == .unauthenticated)
        #expect(kind(403, #"{"Message":"x"}"#) == .forbidden)
        #expect(kind(400, #"{"message":"Input is too long for requested model."}"#) == .contextTooLong)
        #expect(kind(424, "{}") == .failed)
        #expect(kind(429, "") == .rateLimited)
        #expect(kind(400, #"{"__type":"ServiceQuotaExceededException"}"#) == .rateLimited)
    }

    @Test func `a stream that cannot be trusted is garbled, and a malformed answer is none`() {
        #expect(failure(stream(end[0], end[1])) == nil)
        for bad in [
            stream(), stream(end[0]), stream(end[1]), stream(end[0], end[1]) + [0],
            stream(("contentBlockDelta", #"{"contentBlockIndex":0,"delta":{"toolUse":{"input":"{"}}}"#)),
            stream(("contentBlockDelta", #"{"contentBlockIndex":0,"delta":{"text":7}}"#)),
            stream(("contentBlockDelta", #"{"delta":{"text":"x"}}"#)), stream(("messageStop", "[]")),
            stream(end[0], ("metadata", #"{"usage":{"inputTokens":-1}}"#)),
        ] {
            #expect(failure(bad)?.kind == .garbled)
        }
        let malformed = failure(stream(("messageStop", #"{"stopReason":"malformed_tool_use"}"#), end[1]))
        #expect(malformed?.kind == .failed && malformed?.usage?.input == 9)
    }

    @Test func `tools that the provider runs are passed on as they are, calls without arguments have none`()
        throws
    {
        let reply = try BedrockCodec(model: nova).decodeStream(
            stream(
                (
                    "contentBlockStart",
                    #"{"contentBlockIndex":0,"start":{"toolUse":{"toolUseId":"1","name":"g","type":"server_tool_use"}}}"#
                ),
                ("contentBlockDelta", #"{"contentBlockIndex":0,"delta":{"toolUse":{"input":"{\"q\":1}"}}}"#),
                ("contentBlockStop", #"{"contentBlockIndex":0}"#),
                (
                    "contentBlockStart",
                    #"{"contentBlockIndex":1,"start":{"toolResult":{"toolUseId":"1","status":"success"}}}"#
                ),
                ("contentBlockDelta", #"{"contentBlockIndex":1,"delta":{"toolResult":[{"text":"r"}]}}"#),
                ("contentBlockStop", #"{"contentBlockIndex":1}"#),
                (
                    "contentBlockStart",
                    #"{"contentBlockIndex":2,"start":{"toolUse":{"toolUseId":"2","name":"f"}}}"#
                ),
                ("contentBlockStop", #"{"contentBlockIndex":2}"#),
                ("contentBlockDelta", #"{"contentBlockIndex":3,"delta":{"text":"so","p":"abc"}}"#),
                (
                    "contentBlockDelta",
                    #"{"contentBlockIndex":3,"delta":{"citation":{"title":"t","location":{"web":{"url":"u"}}}}}"#
                ),
                ("contentBlockStop", #"{"contentBlockIndex":3}"#), end[0], end[1]))
        #expect(
            reply?.parts == [
                ChatPart(
                    .opaque(
                        .bedrock, type: "toolUse",
                        try json(
                            #"{"toolUse":{"toolUseId":"1","name":"g","type":"server_tool_use","input":{"q":1}}}"#
                        ))),
                ChatPart(
                    .opaque(
                        .bedrock, type: "toolResult",
                        try json(
                            #"{"toolResult":{"toolUseId":"1","status":"success","content":[{"text":"r"}]}}"#))
                ),
                ChatPart(.toolCall(ChatToolCall(id: "2", name: "f", arguments: "{}"))),
                ChatPart(.text(ChatText("so", citations: [ChatCitation(url: "u", title: "t")]))),
            ])
    }
}
