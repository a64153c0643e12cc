package import HTTPWire

/// One line of the route table: what answers which requests, and what others need to know of it to authorize
/// it, document it and test it.
package final class Route: Sendable {
    package let method: HTTPMethod
    /// `/v1/models/{id}`; a last segment `{path*}` takes the rest of the path.
    package let pattern: String
    package let metadata: RouteMetadata
    package let handler: Handler
    /// Tried before the handler.
    package let beginning: Beginning?

    package init(
        _ method: HTTPMethod, _ pattern: String, _ metadata: RouteMetadata, beginning: Beginning? = nil,
        _ handler: @escaping Handler
    ) {
        self.method = method
        self.pattern = pattern
        self.metadata = metadata
        self.beginning = beginning
        self.handler = handler
    }

    package var name: String { metadata.name }
    package var bodyLimit: Int? { metadata.bodyLimit }
}

/// What is known of a route beside its path. The server reads `name` and `bodyLimit`; the rest is the
/// gateway's.
package struct RouteMetadata: Sendable {
    /// The operation, unique in the table: `createChatCompletion`. Metrics and OpenAPI use it.
    package var name: String
    /// Who may call, in the gateway's words: `public`, `key:inference`, `session:owner`.
    package var access: String
    /// The most a request's body may hold; the server's own limit where there is none.
    package var bodyLimit: Int?
    /// One sentence for the documentation.
    package var summary: String
    /// The group it is documented under.
    package var group: String
    /// Whether the handler calls so deep that what it takes is better kept for any connection's next request than for
    /// each connection's.
    package var goesDeep: Bool

    package init(
        _ name: String, access: String, bodyLimit: Int? = nil, summary: String = "", group: String = "",
        goesDeep: Bool = false
    ) {
        self.name = name
        self.access = access
        self.bodyLimit = bodyLimit
        self.summary = summary
        self.group = group
        self.goesDeep = goesDeep
    }
}
