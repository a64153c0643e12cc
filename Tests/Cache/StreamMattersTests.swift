import Cache
import Chat
import JSON
import Testing

struct StreamMattersTests {
    private func matters(_ text: String, _ dialect: ChatDialect = .openAIChat) throws -> Bool {
        CacheSubject.streamMatters(in: try JSONDocument(parsing: Array(text.utf8)), dialect: dialect)
    }

    @Test(arguments: RichRequests.all.map(\.dialect))
    func `what our dialects say of a conversation can be streamed or not`(dialect: ChatDialect) throws {
        let document = try RichRequests.document(dialect)
        #expect(!CacheSubject.streamMatters(in: document, dialect: dialect))
    }

    @Test(arguments: RichRequests.all.map(\.dialect))
    func `whatever else is in a request may come out otherwise in a stream`(dialect: ChatDialect) throws {
        for field in [
            "audio", "modalities", "top_logprobs", "best_of", "prediction", "web_search_options", "plugins",
            "mcp_servers", "container", "previous_response_id", "conversation", "unheard_of", "",
        ] {
            #expect(try matters("{\"model\":\"a\",\"\(field)\":1}", dialect), "\(field)")
            #expect(try !matters("{\"model\":\"a\",\"\(field)\":null}", dialect), "\(field)")
        }
    }

    @Test func `several answers, probabilities and what else is included cannot be converted`() throws {
        #expect(try !matters(#"{"n":1}"#))
        #expect(try !matters(#"{"n":1.0}"#))
        #expect(try matters(#"{"n":2}"#))
        #expect(try matters(#"{"n":"1"}"#))
        #expect(try !matters(#"{"logprobs":false}"#))
        #expect(try matters(#"{"logprobs":true}"#))
        #expect(try !matters(#"{"include":["reasoning.encrypted_content"]}"#, .openAIResponses))
        #expect(try matters(#"{"include":["message.output_text.logprobs"]}"#, .openAIResponses))
        #expect(try matters(#"{"background":true}"#, .openAIResponses))
    }

    @Test func `a field counts for the dialect that knows it`() throws {
        #expect(try matters(#"{"system":"a"}"#, .openAIChat))
        #expect(try !matters(#"{"system":"a"}"#, .anthropic))
        #expect(try matters(#"{"n":1}"#, .anthropic))
        #expect(try matters(#"{"model":"a"}"#, .gemini))
        #expect(try matters("[]"))
    }
}
