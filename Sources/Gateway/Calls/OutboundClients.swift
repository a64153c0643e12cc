package import Base
package import HTTPClient
import Providers

/// How requests leave one loop: to places that the operator trusts, and to those that somebody else has named.
package struct OutboundClients: Sendable {
    /// Through the proxy, where one is set up.
    private let usual: HTTPClient
    private let direct: HTTPClient
    private let policy: OutboundPolicy

    /// - Parameter direct: one without a proxy: the policy is about the addresses that it connects to.
    package init(_ usual: HTTPClient, direct: HTTPClient, policy: OutboundPolicy) {
        self.usual = usual
        self.direct = direct
        self.policy = policy
    }

    /// Sends a request to an upstream.
    func withResponse<Answer>(
        _ request: HTTPClientRequest, from upstream: Upstream,
        _ read: (HTTPClientResponse) async throws -> Answer
    ) async throws -> Answer {
        if upstream.settings.isGuarded { return try await withGuardedResponse(request, read) }
        let client = upstream.settings.isDirect ? direct : usual
        return try await client.withResponse(request, read)
    }

    /// Sends a request to a place that an organization or a client has named.
    func withGuardedResponse<Answer>(
        _ request: HTTPClientRequest, _ read: (HTTPClientResponse) async throws -> Answer
    ) async throws -> Answer {
        try await direct.withResponse(request.guarded(by: policy), read)
    }
}
