import Base
import Chat
import JSON
import Testing

@testable import Providers

struct OpenAIResponsesCodecTests {
    private let codec = OpenAIResponsesCodec()

    private func encode(_ change: (inout ChatRequest) -> Void) throws -> (UpstreamRequest, JSONValue) {
        var request = ChatRequest(model: "alias", messages: [ChatMessage(role: .user, text: "x")])
        change(&request)
        let sent = try codec.encode(request, for: ChatTarget(model: "gpt-x", maximumOutput: 100))
        return (sent, try JSONDocument(parsing: sent.body).root)
    }

    @Test func `what has no place is left out by name`() throws {
        let (sent, body) = try encode { request in
            request.sampling.topK = 4
            request.sampling.seed = 7
            request.sampling.presencePenalty = 1
            request.sampling.frequencyPenalty = 1
            request.sampling.maximumTokens = 5000
            request.messages[0].parts[0].cache = ChatCacheMarker()
            request.messages[0].name = "anna"
        }
        #expect(
            sent.omitted.sorted() == [
                "cache_control", "frequency_penalty", "name", "presence_penalty", "seed", "top_k",
            ])
        #expect(sent.path == "/responses")
        #expect(body["model"]?.string == "gpt-x" && body["max_output_tokens"]?.int == 100)
        #expect(body["store"]?.bool == false && body["include"] == nil && body["stream"] == nil)
    }

    @Test func `a provider that keeps nothing is not asked to`() throws {
        let forgetful = OpenAIResponsesCodec(OpenAIResponsesQuirks(keepsResponses: false))
        var request = ChatRequest(model: "alias", messages: [ChatMessage(role: .user, text: "x")])
        request.hints.store = true
        let sent = try forgetful.encode(request, for: ChatTarget(model: "m"))
        #expect(try JSONDocument(parsing: sent.body)["store"]?.bool == false && sent.omitted == ["store"])
        let outline = ChatOutline(model: "alias", isStreaming: false)
        for (codec, store) in [(forgetful, nil), (codec, true)] {
            let document = try JSONDocument(
                parsing: Array(#"{"model":"alias","input":"x","store":true}"#.utf8))
            let passed = try #require(codec.forward(document, outline, for: ChatTarget(model: "m")))
            #expect(try JSONDocument(parsing: passed.body)["store"]?.bool == store)
        }
    }

    @Test func `what an answer would be wrong without is refused with its field`() throws {
        func field(_ change: (inout ChatRequest) -> Void) -> String? {
            do { _ = try encode(change) } catch { return (error as? UpstreamRequest.Unsayable)?.field }
            return nil
        }
        #expect(field { $0.sampling.stop = ["END"] } == "stop")
        #expect(field { $0.choiceCount = 2 } == "n")
        let sound = ChatMedia(.audio, .base64("AAAA"), mediaType: "audio/wav")
        #expect(field { $0.messages[0].parts.append(ChatPart(.media(sound))) } == "messages[0].content[1]")
        let search = ChatTool(
            .provided(.anthropic, type: "web_search_20250305", ResponsesGenerator.value("{}")))
        #expect(field { $0.tools = [search] } == "tools[0]")
    }

    @Test func `thoughts that only another provider can read are not spoken`() throws {
        let (_, body) = try encode { request in
            request.messages.append(
                ChatMessage(
                    .assistant,
                    [
                        ChatPart(.reasoning(ChatReasoning("hm", seal: ChatSeal("Ep", origin: .anthropic)))),
                        ChatPart(.reasoning(ChatReasoning("hm hm", isSummary: true))), .text("yes"),
                    ]))
        }
        #expect(body["input"]?.count == 2)
        #expect(body["input"]?.element(1)?["content"]?.string == "yes")
    }

    @Test func `a budget of thoughts is said as an effort`() throws {
        for (tokens, effort) in [(1024, "low"), (8192, "medium"), (30000, "high")] {
            let (_, body) = try encode { $0.reasoning = ChatReasoningOptions(.tokens(tokens)) }
            #expect(body["reasoning"]?["effort"]?.string == effort)
        }
        let (_, body) = try encode { $0.reasoning = ChatReasoningOptions(.off) }
        #expect(body["reasoning"]?["effort"]?.string == "none")
    }

    @Test(arguments: [
        (
            #"{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"}"#,
            ChatFinish.Reason.length
        ),
        (#"{"status":"incomplete","incomplete_details":{"reason":"content_filter"}"#, .contentFilter),
        (#"{"status":"completed""#, .stop),
    ])
    func `an answer says why it has ended`(head: String, reason: ChatFinish.Reason) throws {
        #expect(try codec.decode(Array("\(head),\"output\":[]}".utf8)).finish == ChatFinish(reason))
    }

    @Test(arguments: [
        (#"{"status":"in_progress","output":[]}"#, UpstreamFault.Kind.garbled),
        (#"{"status":"completed"}"#, .garbled),
        (#"{"status":"completed","output":[{"type":"function_call","call_id":"c"}]}"#, .garbled),
        ("[]", .garbled), ("{", .garbled),
        (#"{"status":"failed","output":[],"error":{"code":"server_error","message":"m"}}"#, .failed),
        (
            #"{"status":"failed","output":[],"error":{"code":"rate_limit_exceeded","message":"m"}}"#,
            .rateLimited
        ),
        (#"{"status":"cancelled","output":[]}"#, .failed),
        (#"{"error":{"code":429,"message":"slow"}}"#, .rateLimited),
    ])
    func `what is no answer is not taken for one`(body: String, kind: UpstreamFault.Kind) {
        #expect { try codec.decode(Array(body.utf8)) } throws: { ($0 as? UpstreamFault)?.kind == kind }
    }

    @Test(arguments: [
        (
            400, #"{"error":{"message":"m","code":"context_length_exceeded","param":"input"}}"#,
            UpstreamFault.Kind.contextTooLong
        ),
        (429, #"{"error":{"message":"m","type":"insufficient_quota","code":"insufficient_quota"}}"#, .unpaid),
        (429, #"{"error":{"message":"m","type":"requests","code":"rate_limit_exceeded"}}"#, .rateLimited),
        (400, #"{"code":"Client specified an invalid argument","error":"m"}"#, .invalidRequest),
        (422, #"{"detail":"m"}"#, .invalidRequest),
        (404, #"{"error":{"code":"DeploymentNotFound","message":"m"}}"#, .notFound),
        (502, #"{"error":{"code":502,"message":"m","metadata":{}}}"#, .failed),
        (401, #"{"error":{"message":"m","code":"invalid_api_key"}}"#, .unauthenticated),
        (413, #"{"error":{"message":"m","type":"tokens","code":"rate_limit_exceeded"}}"#, .tooLarge),
        (422, #"{"detail":[{"loc":["body"],"msg":"m"}]}"#, .invalidRequest), (400, #""m""#, .invalidRequest),
        (500, #"{"error":{"message":"m","code":"server_is_overloaded"}}"#, .overloaded),
    ])
    func `errors are understood in all their shapes`(status: Int, body: String, kind: UpstreamFault.Kind) {
        let fault = codec.fault(status: status, body: Array(body.utf8))
        #expect(fault.kind == kind && fault.status == status && fault.message == "m")
        #expect(OpenAIChatCodec().fault(status: status, body: Array(body.utf8)) == fault)
    }

    @Test func `words that are no JSON are somebody else's on the way, and are not repeated`() {
        let fault = codec.fault(status: 503, body: Array("<html>gateway-7.internal</html>".utf8))
        #expect(fault == UpstreamFault(.overloaded, status: 503, "status 503"))
    }

    @Test(arguments: [
        #"{"type":"error","code":"rate_limit_exceeded","message":"m","param":null,"sequence_number":3}"#,
        #"{"type":"error","error":{"type":"tokens","code":"rate_limit_exceeded","message":"m"},"sequence_number":3}"#,
        #"{"type":"response.failed","response":{"status":"failed","error":{"code":"rate_limit_exceeded","message":"m"}}}"#,
        #"{"error":{"code":"rate_limit_exceeded","message":"m"}}"#,
    ])
    func `a stream that fails is no reply`(event: String) {
        let stream = "data: {\"type\":\"response.output_text.delta\",\"delta\":\"x\"}\n\ndata: \(event)\n\n"
        #expect { try codec.events(of: Array(stream.utf8)) } throws: { error in
            let fault = error as? UpstreamFault
            return fault?.kind == .rateLimited && fault?.message == "m"
        }
    }

    @Test func `what no delta has said is taken from the end of its item`() throws {
        let events = [
            #"{"type":"response.created","response":{"id":"r","model":"m"}}"#,
            #"{"type":"response.output_item.done","output_index":0,"item":{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"hm"}],"encrypted_content":"gA"}}"#,
            #"{"type":"response.output_item.added","output_index":1,"item":{"type":"message"}}"#,
            #"{"type":"response.output_text.delta","output_index":1,"content_index":0,"delta":"a"}"#,
            #"{"type":"response.output_text.annotation.added","output_index":1,"content_index":0,"annotation":{"type":"url_citation","url":"u","title":"t"}}"#,
            #"{"type":"response.output_item.done","output_index":1,"item":{"type":"message","content":[{"type":"output_text","text":"a"},{"type":"refusal","refusal":"no"}]}}"#,
            #"{"type":"response.output_item.done","output_index":2,"item":{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}}"#,
            #"{"type":"response.something_new","x":1}"#,
            #"{"type":"response.completed","response":{"status":"completed","output":[]}}"#,
        ]
        let stream = events.map { "data: \($0)\n\n" }.joined()
        let reply = try #require(try codec.decodeStream(Array(stream.utf8)))
        let seal = ChatSeal("gA", origin: .openAIResponses, id: "rs_1", replacesText: true)
        #expect(
            reply.parts == [
                ChatPart(.reasoning(ChatReasoning("hm", isSummary: true, seal: seal))),
                ChatPart(.text(ChatText("a", citations: [ChatCitation(url: "u", title: "t")]))),
                ChatPart(.refusal("no")),
                ChatPart(.toolCall(ChatToolCall(id: "c", name: "f", arguments: "{}"))),
            ])
        #expect(reply.finish.reason == .toolCalls)
    }

    @Test func `thoughts that some providers count beside the answer are not counted twice`() throws {
        let body =
            #"{"status":"completed","output":[],"usage":{"input_tokens":10,"output_tokens":5,"#
            + #""output_tokens_details":{"reasoning_tokens":20},"total_tokens":35}}"#
        #expect(try codec.decode(Array(body.utf8)).usage == ChatUsage(input: 10, output: 5, reasoning: 20))
    }
}
