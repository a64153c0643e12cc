package import Base

/// What a server is made of.
package struct HTTPServerConfiguration: Sendable {
    package var limits = HTTPServerLimits()
    package var router: Router
    /// Answers an error that a handler or the server itself threw before anything was answered. It is given
    /// `Problem`s for what the server finds (404, 405, 413, 415, …). Where it does not answer, a bare 500 is
    /// sent.
    package var errorResponder: @Sendable (any Error, Exchange) -> Void
    /// Told of every exchange when it has ended; for metrics and access logs.
    package var onFinish: (@Sendable (ExchangeRecord) -> Void)?
    /// Told what the server itself could not do: accept for want of descriptors, for example.
    package var onFailure: (@Sendable (SystemError) -> Void)?
    /// Addresses whose connections are not counted against `connectionsPerAddress`.
    package var exemptAddresses: @Sendable (IPAddress) -> Bool = { _ in false }
    package var time = TimeSource.live
    package var acceptSource = AcceptSource.live

    package init(
        router: Router,
        errorResponder: @escaping @Sendable (any Error, Exchange) -> Void = ProblemBody.respond
    ) {
        self.router = router
        self.errorResponder = errorResponder
    }
}

/// A handler answers one request. It runs in the connection's task, on the connection's loop.
package typealias Handler = @Sendable (Exchange) async throws -> Void

/// Answers a request without a task, or finds out that it needs one. It calls the exchange's `begun` once, on the loop, at
/// once or later. Requests that came before the one in front of them was answered go to the handler.
package typealias Beginning = @Sendable (Exchange) -> Void
