package import Base
package import Chat
package import JSON

/// How clients speak one dialect with us. Pure.
package protocol ChatFront: Sendable {
    var dialect: ChatDialect { get }

    /// What the way of a request depends on, read without a look at the conversation.
    func outline(_ document: JSONDocument) throws(Problem) -> ChatOutline

    /// Throws every fault of the request at once, each with its field.
    func request(_ document: JSONDocument) throws(Problem) -> ChatRequest

    /// How much may be answered, where the conversation is seen to be nothing but text; nil where that takes reading all of
    /// the request. What else is wrong with it is not said here.
    func boundsOfText(_ document: JSONDocument) -> AnswerBounds?

    /// The body of an answer that is not streamed.
    func body(_ reply: ChatReply, _ context: ReplyContext) -> [UInt8]

    func streamEncoder(_ context: ReplyContext) -> any ChatStreamEncoder

    /// What went wrong, as a body.
    func body(_ problem: Problem, requestID: String) -> [UInt8]

    /// The fields of a request that go with it where it is passed on.
    var forwardedFields: [String] { get }

    /// Where a request may say how many tokens the answer may have; first, where one is written that says it nowhere.
    var answerLimitFields: [String] { get }

    /// Something that clients skip, for when there is nothing to say in a stream.
    var keepAlive: [UInt8] { get }
}

/// Writes a stream, event by event.
package protocol ChatStreamEncoder: Sendable {
    /// Appends what the client is to get for `event`.
    mutating func encode(_ event: ChatEvent, into output: inout [UInt8])

    /// Ends a stream that went well: `.finished` was encoded.
    mutating func end(into output: inout [UInt8])

    /// Ends a stream in which something went wrong, and never as one that is whole.
    mutating func fail(_ problem: Problem, into output: inout [UInt8])
}

/// What an answer says of its request.
package struct ReplyContext: Sendable {
    /// What the client asked.
    package var request: ChatRequest
    package var requestID: String
    package var created: Timestamp
    /// Who answers, where that is known.
    package var server: Server?

    package struct Server: Sendable {
        package var provider: String
        /// As clients name it: `openai/gpt-5`.
        package var model: String
        /// How often providers were asked until one answered.
        package var attempts: Int

        package init(provider: String, model: String, attempts: Int) {
            self.provider = provider
            self.model = model
            self.attempts = attempts
        }
    }

    package init(
        _ request: ChatRequest, requestID: String, created: Timestamp, server: Server? = nil
    ) {
        self.request = request
        self.requestID = requestID
        self.created = created
        self.server = server
    }
}

/// How much a request lets be answered.
package struct AnswerBounds: Equatable, Sendable {
    /// In one answer, where the client has said it.
    package var maximumTokens: Int?
    /// Answers to one question.
    package var choiceCount: Int

    package init(maximumTokens: Int?, choiceCount: Int = 1) {
        self.maximumTokens = maximumTokens
        self.choiceCount = choiceCount
    }

    package init(_ request: ChatRequest) {
        self.init(maximumTokens: request.sampling.maximumTokens, choiceCount: request.choiceCount)
    }
}

/// What of a request is looked at whoever answers it.
package struct ChatOutline: Equatable, Sendable {
    package var model: String
    package var isStreaming: Bool
    /// Whether the client wants to see the usage at the end of a stream.
    package var includesUsage: Bool

    package init(model: String, isStreaming: Bool, includesUsage: Bool = true) {
        self.model = model
        self.isStreaming = isStreaming
        self.includesUsage = includesUsage
    }
}
