package import Base
package import Chat
package import JSON

/// Anthropic's Messages API, as clients speak it with us.
package struct AnthropicFront: ChatFront {
    package init() {}

    package var dialect: ChatDialect { .anthropic }

    package func outline(_ document: JSONDocument) throws(Problem) -> ChatOutline {
        guard document.root.kind == .object else { throw .bodyIsNoObject }
        var fields = RequestReader()
        let model = fields.requiredText(document["model"], "model")
        _ = fields.requiredArray(document["messages"], "messages")
        if document["max_tokens"].present == nil { fields.fault("max_tokens", "is required") }
        let isStreaming = fields.flag(document["stream"], "stream")
        if let problem = fields.problem { throw problem }
        return ChatOutline(model: model ?? "", isStreaming: isStreaming ?? false)
    }

    package func request(_ document: JSONDocument) throws(Problem) -> ChatRequest {
        var reader = AnthropicRequestReader(document, isCount: false)
        return try reader.request()
    }

    package func boundsOfText(_ document: JSONDocument) -> AnswerBounds? {
        var reader = AnthropicRequestReader(document, isCount: false)
        return reader.boundsOfText()
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

    package var keepAlive: [UInt8] { Self.ping }
    private static let ping = Array("event: ping\ndata: {\"type\": \"ping\"}\n\n".utf8)

    /// Which features of the provider the client wants, and in which version.
    package var forwardedFields: [String] { ["anthropic-version", "anthropic-beta"] }
    package var answerLimitFields: [String] { ["max_tokens"] }

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
