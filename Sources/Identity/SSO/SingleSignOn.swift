package import Base
import HTTPClient
import HTTPWire
import JSON

/// Signing in through an organization's identity provider: OpenID Connect's code flow, with a state, a nonce, PKCE, and a
/// cookie that ties all of it to the browser that began.
///
/// Whoever comes this way works in that organization and nowhere else: its provider could say that anybody is anybody.
// Confined to its loop.
package final class SingleSignOn: @unchecked Sendable {
    package static let callbackPath = "/api/auth/sso/callback"

    private let store: IdentityStore
    private let providers: SSOProviders
    private let key: KeyedDigest
    private let time: TimeSource

    /// - Parameter secret: the instance's own, the same for all its processes.
    package init(_ store: IdentityStore, _ providers: SSOProviders, secret: [UInt8], time: TimeSource = .live)
    {
        self.store = store
        self.providers = providers
        key = KeyedDigest(key: secret)
        self.time = time
    }

    /// Where to send somebody, and what their browser must bring back.
    package struct Beginning: Sendable {
        package let url: String
        package let state: Secret
        package let lifetime: Duration
    }

    /// What somebody comes back with.
    package struct Return: Sendable {
        package var code: String?
        package var state: String?
        /// Of the provider, where it names itself (RFC 9207).
        package var issuer: String?
        /// Why there is no code.
        package var error: String?
        /// What the browser has kept.
        package var keptState: String?

        package init(
            code: String?, state: String?, issuer: String?, error: String?, keptState: String?
        ) {
            self.code = code
            self.state = state
            self.issuer = issuer
            self.error = error
            self.keptState = keptState
        }
    }

    private var redirectURL: String { store.settings.publicURL + Self.callbackPath }

    // MARK: There

    package func begin(in organization: UUID) async throws -> Beginning {
        guard let client = try await store.ssoClient(of: organization) else {
            throw Problem.notFound("organization with single sign-on")
        }
        let provider = try await providers.provider(client.issuer)
        let state = SSOState(.make(), under: key)
        try await store.beginSSOAttempt(state.secret, in: organization)
        let query = Self.form([
            ("response_type", "code"), ("client_id", client.clientID), ("redirect_uri", redirectURL),
            ("scope", "openid email profile"), ("state", state.secret.secret.reveal()),
            ("nonce", state.nonce), ("code_challenge", state.challenge), ("code_challenge_method", "S256"),
        ])
        let separator = provider.authorizationEndpoint.contains("?") ? "&" : "?"
        return Beginning(
            url: provider.authorizationEndpoint + separator + query, state: state.secret.secret,
            lifetime: IdentityStore.ssoAttemptLifetime)
    }

    // MARK: And back

    /// The session of whoever comes back. Each sign-in is good for one attempt at this, whatever becomes of it.
    package func finish(
        _ answer: Return, from origin: IdentityStore.SessionOrigin
    ) async throws -> SessionGrant {
        let state = try Self.state(answer)
        guard let client = try await store.endSSOAttempt(state) else { throw Problem.ssoStateUnknown }
        if let issuer = answer.issuer, issuer != client.issuer {
            throw Problem.ssoInvalid("the answer is another issuer's")
        }
        guard let code = answer.code, answer.error == nil else {
            throw Problem.ssoDenied("the provider says \(answer.error?.prefix(100) ?? "nothing")")
        }
        let token = try await token(for: code, SSOState(state, under: key), client)
        let user = try await store.account(of: token, from: client, address: origin.address)
        var origin = origin
        origin.bySSO = true
        return try await store.beginSession(of: user, in: client.organization, from: origin)
    }

    /// Without the browser's part somebody could be signed in to another's account by a link.
    private static func state(_ answer: Return) throws(Problem) -> PresentedSecret {
        guard let presented = answer.state, let kept = answer.keptState,
            constantTimeEquals(Array(presented.utf8), Array(kept.utf8)),
            let state = PresentedSecret(presented: presented)
        else { throw Problem.ssoStateUnknown }
        return state
    }

    private func token(for code: String, _ state: SSOState, _ client: SSOClient) async throws -> IDToken {
        let provider = try await providers.provider(client.issuer)
        let body = Self.form([
            ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirectURL),
            ("code_verifier", state.verifier),
        ])
        let login = [client.clientID, client.clientSecret.reveal()].map { PercentCoding.encode($0) }
            .joined(separator: ":")
        let request = HTTPClientRequest(
            "POST", url: provider.tokenEndpoint,
            fields: [
                ("Content-Type", "application/x-www-form-urlencoded"),
                ("Authorization", "Basic \(Base64.encode(Array(login.utf8)))"),
            ], body: .bytes(Array(body.utf8)))
        let bytes = try await providers.ask(request, accepting: [200, 400, 401])
        guard let json = try? JSONDocument(parsing: bytes), json.root.kind == .object else {
            throw Problem.ssoUnreachable("the token endpoint answers no JSON object")
        }
        guard let text = json["id_token"]?.string else {
            throw Problem.ssoInvalid(
                "the token endpoint says \(json["error"]?.string?.prefix(100) ?? "nothing")")
        }
        return try await verified(text, state, client, provider)
    }

    private func verified(
        _ text: String, _ state: SSOState, _ client: SSOClient, _ provider: SSOProvider
    ) async throws -> IDToken {
        do {
            let signed = try JWS(parsing: text.utf8)
            let keys = try await providers.keys(of: provider, for: signed)
            return try IDToken(
                signed, keys: keys, issuer: client.issuer, clientID: client.clientID, nonce: state.nonce,
                at: time.timestamp())
        } catch let fault as JSONWebTokenFault {
            throw Problem.ssoInvalid("the ID token cannot be read: \(fault.rawValue)")
        } catch let fault as IDToken.Fault {
            throw Problem.ssoInvalid("the ID token is not valid: \(fault.rawValue)")
        }
    }

    private static func form(_ fields: [(String, String)]) -> String {
        fields.map { "\($0)=\(PercentCoding.encode($1))" }.joined(separator: "&")
    }
}
