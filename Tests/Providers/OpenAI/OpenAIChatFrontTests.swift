import Base
import Chat
import JSON
import Testing

@testable import Providers

struct OpenAIChatFrontTests {
    private let front = OpenAIChatFront()

    private func request(_ text: String) throws -> ChatRequest {
        try front.request(JSONDocument(parsing: Array(text.utf8)))
    }

    @Test func `what a request says is read, and what it does not know is left alone`() throws {
        let request = try request(
            """
            { "model": "openai/gpt-x", "stream":true, "stream_options": {"include_usage": true}, "seed": 7,
              "max_tokens": 5, "stop": "x", "vendor_thing": [1.0, 1e2],
              "messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"a"},
                {"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA","detail":"low"}},
                {"type":"text","text":"b"}]}] }
            """)
        #expect(request.model == "openai/gpt-x")
        #expect(request.isStreaming && request.includesUsage)
        #expect(request.sampling.seed == 7 && request.sampling.maximumTokens == 5)
        #expect(request.sampling.stop == ["x"])
        #expect(
            request.messages == [
                ChatMessage(role: .system, text: "s"),
                ChatMessage(
                    .user,
                    [
                        .text("a"),
                        ChatPart(
                            .media(
                                ChatMedia(.image, .base64("AAAA"), mediaType: "image/png", detail: "low"))),
                        .text("b"),
                    ]),
            ])
    }

    @Test func `a request that is passed on has another model's name and is otherwise as it was`() throws {
        let text = #"{ "model": "openai/gpt-x", "vendor_thing": [1.0, 1e2], "messages":[{"role":"user"}] }"#
        let document = try JSONDocument(parsing: Array(text.utf8))
        let forwarded = try #require(
            OpenAIChatCodec().forward(
                document, try front.outline(document), for: ChatTarget(model: "gpt-x")))
        let expected = text.split(separator: "openai/gpt-x").joined(separator: "gpt-x")
        #expect(String(decoding: forwarded.body, as: UTF8.self) == expected)
    }

    @Test func `a stream that is passed on asks for its usage, whatever options the client gave`() throws {
        for (options, wanted) in [
            ("", #"{"include_usage":true}"#),
            (#","stream_options":null"#, #"{"include_usage":true}"#),
            (#","stream_options":{"include_usage":false,"x":1}"#, #"{"include_usage":true,"x":1}"#),
        ] {
            let text = #"{"model":"m","stream":true,"messages":[{"role":"user"}]\#(options)}"#
            let document = try JSONDocument(parsing: Array(text.utf8))
            let forwarded = try #require(
                OpenAIChatCodec().forward(
                    document, try front.outline(document), for: ChatTarget(model: "m")))
            let sent = try JSONDocument(parsing: forwarded.body)
            #expect(sent["stream_options"]?.canonical() == Array(wanted.utf8))
        }
    }

    @Test func `relatives get the fields that they know`() throws {
        var quirks = OpenAIQuirks()
        quirks.limitField = .maxTokens
        quirks.seedField = .randomSeed
        let text =
            #"{"model":"m","seed":3,"max_completion_tokens":9,"messages":[{"role":"developer","content":"x"}]}"#
        let document = try JSONDocument(parsing: Array(text.utf8))
        let forwarded = try #require(
            OpenAIChatCodec(quirks).forward(
                document, try front.outline(document), for: ChatTarget(model: "m")))
        let sent = try JSONDocument(parsing: forwarded.body)
        #expect(sent["random_seed"]?.int == 3 && sent["seed"] == nil)
        #expect(sent["max_tokens"]?.int == 9 && sent["max_completion_tokens"] == nil)
        #expect(sent["messages"]?.element(0)?["role"]?.string == "system")
    }

    @Test func `every fault is reported at once, each with its field`() {
        let text = """
            {"model":"","stream":"yes","n":0,"seed":1.5,"stop":[1],"stream_options":true,
             "tools":[{"type":"function"}],"tool_choice":"sometimes",
             "messages":[{"content":"x"},7,{"role":"user","content":3},{"role":"tool","content":"x"}]}
            """
        #expect {
            try request(text)
        } throws: { error in
            guard let problem = error as? Problem else { return false }
            let fields = [
                "model:", "stream:", "n:", "seed:", "stop:", "stream_options:", "messages[0].role:",
                "messages[1]:", "messages[2].content:", "messages[3].tool_call_id:", "tools[0].function:",
                "tool_choice:",
            ]
            return problem.kind == .invalidRequest && problem.field == "model"
                && fields.allSatisfy { problem.message.contains($0) }
        }
    }

    @Test(arguments: [
        #"{"model":"x"}"#, #"{"model":"x","messages":[]}"#, #"{"model":"x","messages":{}}"#, "[]",
    ])
    func `a request without messages is refused`(text: String) throws {
        #expect(throws: Problem.self) { try request(text) }
        let document = try JSONDocument(parsing: Array(text.utf8))
        #expect(throws: Problem.self) { try front.outline(document) }
    }

    @Test func `null is as good as absent`() throws {
        let request = try request(
            #"{"model":"x","stream":null,"max_tokens":null,"stop":null,"messages":[{"role":"user","content":null}]}"#
        )
        #expect(!request.isStreaming && request.sampling.maximumTokens == nil && request.sampling.stop == [])
    }
}
