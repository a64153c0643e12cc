import Base
import HTTPServer
import HTTPWire
import Identity
import JSON

/// The handlers of `SSOEndpoints`.
extension Gateway {
    func beginSSO(_ call: APICall) async throws -> Reply {
        // Each is an account of its own to the throttle: only the address is slowed down.
        let attempt = "sso \(UUID.make())"
        if let address = call.throttledAddress(self) {
            try await identity.throttle.admit(account: attempt, from: address)
        }
        let beginning = try await identity.singleSignOn.begin(in: call.id("organization_id"))
        let cookie = SSOCookie(beginning.state, call.query.choice("session", as: Session.Carrier.self))
        return .redirect(beginning.url, ["Set-Cookie": cookie.field(lifetime: beginning.lifetime)])
    }

    func finishSSO(_ call: APICall) async throws -> Reply {
        // Whatever becomes of this, the browser's part has served.
        call.exchange.responseFields.append("Set-Cookie", SSOCookie.cleared)
        let kept = SSOCookie(call.exchange.request.fields)
        let carrier = kept?.carrier ?? .cookie
        let grant = try await identity.singleSignOn.finish(
            SingleSignOn.Return(
                code: call.query.optionalString("code"), state: call.query.optionalString("state"),
                issuer: call.query.optionalString("iss"), error: call.query.optionalString("error"),
                keptState: kept?.state.reveal()),
            from: IdentityStore.SessionOrigin(
                carrier, address: call.address?.description, userAgent: call.userAgent))
        if carrier == .tokens { return reply(with: grant, .tokens) }
        let cookie = SessionCookie.field(grant.secret, until: grant.expiresAt, now: time.timestamp())
        return .redirect("\(identity.publicURL)/", ["Set-Cookie": cookie])
    }

    // MARK: The connection

    func showSSO(_ call: APICall) async throws -> Reply {
        let found = try await identity.store.ssoConnection(of: call.ownOrganization())
        return .json { json in json.fields(of: found) }
    }

    func setSSO(_ call: APICall) async throws -> Reply {
        let organization = try call.ownOrganization()
        try await require(.singleSignOn, for: call)
        let new = NewSSOConnection(
            issuer: try Self.issuer(call.fields.string("issuer")), clientID: call.fields.string("client_id"),
            clientSecret: call.fields.optionalSecret("client_secret"),
            defaultRole: call.fields.choice("default_role", as: Role.self),
            isEnforced: call.fields.bool("enforced"))
        let made = try await identity.store.setSSO(new, of: organization, by: call.actor)
        return .json { json in json.fields(of: made) }
    }

    /// A name that is compared letter by letter: what follows the path is no part of one.
    private static func issuer(_ text: String) throws(Problem) -> String {
        guard !text.contains("?") else {
            throw Problem(faults: [Problem.Fault("issuer", "must be a URL without a query")])
        }
        return text
    }

    func removeSSO(_ call: APICall) async throws -> Reply {
        try await identity.store.removeSSO(of: call.ownOrganization(), by: call.actor)
        return .empty()
    }
}
