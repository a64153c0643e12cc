import Base
import Chat
import JSON
import Providers
import Testing

struct OpenAIChatRequestTests {
    private func request(_ text: String) throws -> OpenAIChatRequest {
        try OpenAIChatRequest(JSONDocument(parsing: Array(text.utf8)))
    }

    @Test func `what the gateway needs is read, and what it does not know is left alone`() throws {
        let text = """
            { "model": "openai/gpt-x", "stream":true, "stream_options": {"include_usage": true}, "seed": 7,
              "max_tokens": 5, "stop": "x", "vendor_thing": [1.0, 1e2],
              "messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"a"},
                {"type":"image_url","image_url":{"url":"data:"}},{"type":"text","text":"b"}]}] }
            """
        let request = try request(text)
        #expect(request.model == "openai/gpt-x")
        #expect(request.isStreaming && request.includesUsage)
        #expect(request.seed == 7 && request.maximumTokens == 5 && request.stop == ["x"])
        #expect(
            request.messages == [
                ChatMessage(role: .system, text: "s"), ChatMessage(role: .user, text: "a\nb"),
            ])
        let expected = text.split(separator: "openai/gpt-x").joined(separator: "gpt-x")
        #expect(String(decoding: request.body(model: "gpt-x"), as: UTF8.self) == expected)
    }

    @Test func `every fault is reported at once, each with its field`() {
        let text = """
            {"model":"","stream":"yes","n":0,"seed":1.5,"stop":[1],"stream_options":true,
             "messages":[{"content":"x"},7,{"role":"user","content":3}]}
            """
        #expect {
            try request(text)
        } throws: { error in
            guard let problem = error as? Problem else { return false }
            let fields = [
                "model:", "stream:", "n:", "seed:", "stop:", "stream_options:", "messages[0].role:",
                "messages[1]:",
                "messages[2].content:",
            ]
            return problem.kind == .invalidRequest && problem.field == "model"
                && fields.allSatisfy { problem.message.contains($0) }
        }
    }

    @Test(arguments: [
        #"{"model":"x"}"#, #"{"model":"x","messages":[]}"#, #"{"model":"x","messages":{}}"#, "[]",
    ])
    func `a request without messages is refused`(text: String) {
        #expect(throws: Problem.self) { try request(text) }
    }

    @Test func `null is as good as absent`() throws {
        let request = try request(
            #"{"model":"x","stream":null,"max_tokens":null,"stop":null,"messages":[{"role":"user","content":null}]}"#
        )
        #expect(!request.isStreaming && request.maximumTokens == nil && request.stop == [])
    }
}
