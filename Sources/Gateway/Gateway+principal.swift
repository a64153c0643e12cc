import Base
import HTTPServer
import HTTPWire
import Identity

extension Gateway {
    /// Who makes a request, for an endpoint of this access.
    ///
    /// `nil` for `.open` and for nothing else. A 401 where nothing is presented, or nothing that is valid now. A cookie
    /// counts only with an `Origin` of ours where the method changes something. What the caller may do is not decided
    /// here but by `Access.admit`: a key may be given back where only a session counts, so that its holder learns why it
    /// is not enough.
    func principal(of exchange: Exchange, for access: Access) async throws -> Principal? {
        if access == .open { return nil }
        let fields = exchange.request.fields
        if let presented = Self.presentedKey(fields) {
            if presented.starts(with: APIKey.prefix.utf8) {
                return Self.principal(try await caller(of: exchange))
            }
            guard access.takesSessions, let found = try await identity.tokens.principal(presenting: presented)
            else { throw Problem.invalidToken }
            return found
        }
        if access.takesSessions, let cookie = SessionCookie.value(in: fields) {
            guard let found = try await identity.store.principal(presentingCookie: cookie) else {
                throw Problem.invalidToken
            }
            if exchange.request.method.changesSomething { try refuseOtherOrigins(fields) }
            return found
        }
        // Says how a key is sent.
        if access == .inference { return Self.principal(try await caller(of: exchange)) }
        throw Problem(
            .unauthenticated, code: "not_signed_in",
            "Nobody is signed in. Sign in at /api/auth/login, and send the token as \"Authorization: Bearer …\"."
        )
    }

    private static func principal(_ caller: Caller) -> Principal {
        Principal(
            user: caller.user, organization: caller.organization, role: caller.role, isOperator: false,
            credential: .key(caller))
    }

    /// A browser says which site a request comes from. Without that, or from another site, a cookie counts for nothing.
    func refuseOtherOrigins(_ fields: HTTPFields) throws(Problem) {
        func text(_ name: String) -> String? { fields[name].map { String(decoding: $0, as: UTF8.self) } }
        guard let origin = text("origin"), text("sec-fetch-site").map({ $0 == "same-origin" }) ?? true,
            origin == identity.publicURL
                || text("host").map({ ["http://\($0)", "https://\($0)"].contains(origin) }) ?? false
        else {
            throw Problem(
                .forbidden, code: "cross_origin",
                "This request does not come from this site. Programs use tokens instead of the cookie.")
        }
    }
}

extension HTTPMethod {
    fileprivate var changesSomething: Bool { self != .get && self != .head && self != .options }
}
