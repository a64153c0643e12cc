package import HTTPServer
package import HTTPWire
package import Loop

/// One operation of the API. From this value come its route, its checks, its place in the document, and its tests.
package struct Endpoint: Sendable {
    package let method: HTTPMethod
    /// `/api/keys/{key_id}`; `{model_id*}` at its end takes slashes, too.
    package let path: String
    /// The operation, unique in the table: `createKey`.
    package let name: String
    /// What it is documented under.
    package let group: String
    /// One sentence.
    package let summary: String
    package let description: String?
    package let access: Access
    package let parameters: [PathParameter]
    package let query: [QueryParameter]
    /// Whether others may add parameters of their own to the query, which are not looked at.
    package let ignoresUnknownQuery: Bool
    /// `nil`: no body is taken.
    package let body: BodyDescription?
    /// Those of its own; the errors that many have are added in the document.
    package let answers: [AnswerDescription]
    /// `nil`: the server's.
    package let bodyLimit: Int?
    /// Whether the session that calls it is of no use afterwards, so that tests call it last or not at all.
    package let endsSession: Bool
    /// Whether an `Idempotency-Key` is taken: what was sent twice is done once.
    package let takesIdempotencyKey: Bool
    package let handle: Handling

    /// What a body may hold where nothing else is said.
    package static let usualBodyLimit = 64 * 1024

    /// Gives the gateway of a loop.
    package typealias GatewayOfLoop = @Sendable (EventLoop) -> Gateway

    package enum Handling: Sendable {
        /// Runs when the caller is known and allowed, and all that was sent is as described.
        case checked(@Sendable (Gateway, APICall) async throws -> Reply)
        /// Does everything itself, authentication too, and streams if it likes. Given as what makes the handler, so
        /// that nothing stands between the server and it; the description is documentation only.
        case direct(
            @Sendable (@escaping GatewayOfLoop) -> Handler,
            beginning: (@Sendable (@escaping GatewayOfLoop) -> Beginning)?)
    }

    /// One whose description is enforced.
    package init(
        _ method: HTTPMethod, _ path: String, _ name: String, group: String, _ summary: String,
        description: String? = nil, access: Access, parameters: [PathParameter] = [],
        query: [QueryParameter] = [], ignoresUnknownQuery: Bool = false, body: BodyDescription? = nil,
        answers: [AnswerDescription], bodyLimit: Int = Endpoint.usualBodyLimit, endsSession: Bool = false,
        takesIdempotencyKey: Bool = false,
        handle: @escaping @Sendable (Gateway, APICall) async throws -> Reply
    ) {
        self.init(
            method, path, name, group: group, summary, description: description, access: access,
            parameters: parameters, query: query, ignoresUnknownQuery: ignoresUnknownQuery, body: body,
            answers: answers, bodyLimit: bodyLimit, endsSession: endsSession,
            takesIdempotencyKey: takesIdempotencyKey, .checked(handle))
    }

    /// One that does everything itself: see `Handling.direct`.
    package init(
        _ method: HTTPMethod, _ path: String, _ name: String, group: String, _ summary: String,
        description: String? = nil, access: Access, parameters: [PathParameter] = [],
        query: [QueryParameter] = [], body: BodyDescription? = nil, answers: [AnswerDescription],
        bodyLimit: Int? = nil, beginning: (@Sendable (@escaping GatewayOfLoop) -> Beginning)? = nil,
        direct: @escaping @Sendable (@escaping GatewayOfLoop) -> Handler
    ) {
        self.init(
            method, path, name, group: group, summary, description: description, access: access,
            parameters: parameters, query: query, ignoresUnknownQuery: false, body: body, answers: answers,
            bodyLimit: bodyLimit, endsSession: false, takesIdempotencyKey: false,
            .direct(direct, beginning: beginning))
    }

    private init(
        _ method: HTTPMethod, _ path: String, _ name: String, group: String, _ summary: String,
        description: String?, access: Access, parameters: [PathParameter], query: [QueryParameter],
        ignoresUnknownQuery: Bool, body: BodyDescription?, answers: [AnswerDescription], bodyLimit: Int?,
        endsSession: Bool, takesIdempotencyKey: Bool, _ handle: Handling
    ) {
        self.method = method
        self.path = path
        self.name = name
        self.group = group
        self.summary = summary
        self.description = description
        self.access = access
        self.parameters = parameters
        self.query = query
        self.ignoresUnknownQuery = ignoresUnknownQuery
        self.body = body
        self.answers = answers
        self.bodyLimit = bodyLimit
        self.endsSession = endsSession
        self.takesIdempotencyKey = takesIdempotencyKey
        self.handle = handle
    }

    /// As the document has it.
    package var documentedPath: String { path.hasSuffix("*}") ? path.dropLast(2) + "}" : path }

    /// Whether its description is enforced.
    package var isChecked: Bool {
        if case .checked = handle { true } else { false }
    }
}
