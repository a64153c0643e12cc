import Base
import HTTPServer
import Identity

extension Gateway {
    /// Who makes a request, for an endpoint of this access.
    ///
    /// The contract: `nil` for `.open` and for nothing else. A 401 where nothing is presented, or nothing that is valid
    /// now. API keys count for `.inference` and `.member`; sessions (a bearer token or the cookie) for `.signedIn`,
    /// `.member` and `.operatorOnly`. A cookie counts only with an `Origin` of ours where the method changes something.
    /// What the caller may do is not decided here but by `Access.admit`; a key that is presented where only a session
    /// counts may be given back as a principal, so that its holder learns why it is not enough (403).
    func principal(of exchange: Exchange, for access: Access) async throws -> Principal? {
        switch access {
        case .open: return nil
        case .inference:
            let caller = try await authenticate(exchange, scope: "inference")
            return Principal(
                user: caller.user, organization: caller.organization, role: caller.role, isOperator: false,
                credential: .key(caller.key, scopes: caller.scopes))
        case .signedIn, .member, .operatorOnly:
            throw Problem(
                .unauthenticated, code: "not_signed_in",
                "Nobody is signed in. Sign in, and send the session's token as \"Authorization: Bearer …\".")
        }
    }

    /// The proxies whose `X-Forwarded-For` counts.
    var trustedNetworks: [IPNetwork] { [] }
}
