package import Base
package import Chat
package import JSON

/// Anthropic's Messages API, as clients speak it with us.
package struct AnthropicFront: ChatFront {
    package init() {}

    package var dialect: ChatDialect { .anthropic }

    package func request(_ document: JSONDocument) throws(Problem) -> ChatRequest {
        var reader = AnthropicRequestReader(document, isCount: false)
        return try reader.request()
    }

    package func body(_ reply: ChatReply, _ context: ReplyContext) -> [UInt8] {
        AnthropicReplyWriter.body(reply, context)
    }

    package func streamEncoder(_ context: ReplyContext) -> any ChatStreamEncoder {
        AnthropicStreamEncoder(context)
    }

    package func body(_ problem: Problem, requestID: String) -> [UInt8] {
        AnthropicProblem.body(problem, requestID: requestID)
    }

    /// A request to count tokens.
    package func countRequest(_ document: JSONDocument) throws(Problem) -> ChatRequest {
        var reader = AnthropicRequestReader(document, isCount: true)
        return try reader.request()
    }

    /// The answer to a request to count tokens.
    package func countBody(tokens: Int) -> [UInt8] {
        var json = JSONWriter(capacity: 32)
        json.object { $0.field("input_tokens", tokens) }
        return json.bytes
    }
}
