package import Base
package import Chat
package import JSON

/// Clients that speak OpenAI's chat dialect.
package struct OpenAIChatFront: ChatFront {
    package init() {}

    package var dialect: ChatDialect { .openAIChat }

    package func outline(_ document: JSONDocument) throws(Problem) -> ChatOutline {
        guard document.root.kind == .object else { throw .bodyIsNoObject }
        var fields = RequestReader()
        let root = JSONIndex(document.root)
        let model = fields.requiredText(root["model"], "model")
        _ = fields.requiredArray(root["messages"], "messages")
        let isStreaming = fields.flag(root["stream"], "stream")
        let options = fields.object(root["stream_options"], "stream_options")
        if let problem = fields.problem {
            // All that is wrong is said at once.
            _ = try request(document)
            throw problem
        }
        return ChatOutline(
            model: model ?? "", isStreaming: isStreaming ?? false,
            includesUsage: options?["include_usage"]?.bool ?? false)
    }

    package func request(_ document: JSONDocument) throws(Problem) -> ChatRequest {
        guard document.root.kind == .object else { throw .bodyIsNoObject }
        var reader = OpenAIChatRequestReader()
        let request = reader.read(document.root)
        if let problem = reader.fields.problem { throw problem }
        return request
    }

    /// The request as far as it can be read, and everything that is wrong with it.
    package static func read(_ root: JSONValue) -> (request: ChatRequest, faults: [Problem.Fault]) {
        var reader = OpenAIChatRequestReader()
        let request = reader.read(root)
        return (request, reader.fields.faults)
    }

    package func boundsOfText(_ document: JSONDocument) -> AnswerBounds? { Self.boundsOfText(document.root) }

    package static func boundsOfText(_ root: JSONValue) -> AnswerBounds? {
        let root = JSONIndex(root)
        guard root["messages"]?.elements.allSatisfy(isTextAlone) ?? true else { return nil }
        var reader = OpenAIChatRequestReader()
        let bounds = reader.bounds(root)
        return reader.fields.faults.isEmpty ? bounds : nil
    }

    private static func isTextAlone(_ message: JSONValue) -> Bool {
        message["content"]?.isTextAlone ?? true && message["images"] == nil
    }

    package func body(_ reply: ChatReply, _ context: ReplyContext) -> [UInt8] {
        OpenAIChatWriter(context).completion([reply])
    }

    package func streamEncoder(_ context: ReplyContext) -> any ChatStreamEncoder {
        OpenAIChatStreamEncoder(context)
    }

    package func body(_ problem: Problem, requestID: String) -> [UInt8] {
        OpenAIProblem.body(problem, requestID: requestID)
    }

    package var forwardedFields: [String] { [] }
    package var answerLimitFields: [String] { ["max_completion_tokens", "max_tokens"] }

    package var keepAlive: [UInt8] { OpenAIChatStreamEncoder.comment }
}

extension Problem {
    package static let bodyIsNoObject = Problem(
        .invalidRequest, code: "invalid_request", "The body must be a JSON object.")
}
