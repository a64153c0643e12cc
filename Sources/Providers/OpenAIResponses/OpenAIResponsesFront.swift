package import Base
package import Chat
package import JSON

/// How clients speak OpenAI's Responses API with us. We keep nothing between requests: each says all of it,
/// unless the provider is asked in this dialect too and keeps it.
package struct OpenAIResponsesFront: ChatFront {
    package init() {}

    package var dialect: ChatDialect { .openAIResponses }

    package func outline(_ document: JSONDocument) throws(Problem) -> ChatOutline {
        guard document.root.kind == .object else { throw .bodyIsNoObject }
        var fields = RequestReader()
        let model = fields.requiredText(document["model"], "model")
        if document["input"].present == nil { fields.fault("input", "is required") }
        let isStreaming = fields.flag(document["stream"], "stream")
        OpenAIResponsesRequestReader.refuseBackground(document["background"], &fields)
        if let problem = fields.problem { throw problem }
        return ChatOutline(model: model ?? "", isStreaming: isStreaming ?? false)
    }

    package var forwardedFields: [String] { ["openai-beta"] }
    package var answerLimitFields: [String] { ["max_output_tokens"] }
    package var keepAlive: [UInt8] { OpenAIChatStreamEncoder.comment }

    package func request(_ document: JSONDocument) throws(Problem) -> ChatRequest {
        guard document.root.kind == .object else { throw .bodyIsNoObject }
        var reader = OpenAIResponsesRequestReader()
        let request = reader.request(document.root)
        if let problem = reader.reader.problem { throw problem }
        return request
    }

    package func boundsOfText(_ document: JSONDocument) -> AnswerBounds? {
        let root = JSONIndex(document.root)
        guard let input = root["input"],
            input.kind == .string || input.elements.allSatisfy(Self.isTextAlone)
        else { return nil }
        var reader = OpenAIResponsesRequestReader()
        let bounds = reader.bounds(root)
        return reader.reader.faults.isEmpty ? bounds : nil
    }

    /// Of a message; other items are looked at by who reads them.
    private static func isTextAlone(_ item: JSONValue) -> Bool {
        item["content"]?.isTextAlone ?? true && item["type"]?.stringEquals("message") ?? true
    }

    package func body(_ reply: ChatReply, _ context: ReplyContext) -> [UInt8] {
        var encoder = OpenAIResponsesStreamEncoder(context, isSilent: true)
        var stream: [UInt8] = []
        for event in reply.events { encoder.encode(event, into: &stream) }
        var json = JSONWriter(capacity: 2048)
        encoder.response.write(&json)
        return json.bytes
    }

    package func streamEncoder(_ context: ReplyContext) -> any ChatStreamEncoder {
        OpenAIResponsesStreamEncoder(context)
    }

    package func body(_ problem: Problem, requestID: String) -> [UInt8] {
        OpenAIProblem.body(problem, requestID: requestID)
    }
}
