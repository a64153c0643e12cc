import Base
import HTTPServer
import HTTPWire
import Identity
import JSON
import Loop

/// The handlers of `AccountEndpoints`.
extension Gateway {
    // MARK: Coming and going

    func register(_ call: APICall) async throws -> Reply {
        if identity.store.settings.registration == .closed { throw Problem.registrationClosed }
        let email = call.fields.string("email")
        let address = call.throttledAddress(self)
        try await identity.throttle.admit(account: "register \(email)", from: address)
        let signUp = IdentityStore.SignUp(
            email: email,
            password: try await identity.passwords.hash(call.fields.secret("password"), on: loop),
            name: call.fields.optionalString("name"),
            organization: call.fields.optionalString("organization"),
            invitation: call.fields.optionalString("invitation"), address: call.address?.description)
        try await inEvenTime {
            if let change = try await identity.store.register(signUp) { await identity.announce(change) }
        }
        return .empty(202)
    }

    func login(_ call: APICall) async throws -> Reply {
        let carrier = call.fields.choice("session", as: Session.Carrier.self)
        if carrier == .cookie { try refuseOtherOrigins(call.exchange.request.fields) }
        let attempt = SignIn.Attempt(
            email: call.fields.string("email"), password: call.fields.secret("password"),
            code: call.fields.optionalString("code"), organization: call.fields.optionalID("organization_id"),
            invitation: call.fields.optionalString("invitation"),
            origin: IdentityStore.SessionOrigin(
                carrier, address: call.throttledAddress(self), userAgent: call.userAgent))
        let (grant, change) = try await identity.signIn.begin(attempt)
        if let change { await identity.announce(change) }
        return reply(with: grant, carrier)
    }

    func refresh(_ call: APICall) async throws -> Reply {
        reply(with: try await identity.store.refresh(call.fields.string("refresh_token")), .tokens)
    }

    func logout(_ call: APICall) async throws -> Reply {
        if let session = call.principal.session {
            try await identity.store.endSession(session, of: call.principal.user)
        }
        return .empty(204, ["Set-Cookie": SessionCookie.cleared])
    }

    /// A session as its client is told of it: a browser by a cookie that no script can read, others by tokens.
    func reply(with grant: SessionGrant, _ carrier: Session.Carrier) -> Reply {
        var reply = Reply.json { json in
            json.field("session_id", grant.session.description)
            json.field("organization_id", grant.organization.description)
            json.field("session_expires_at", grant.expiresAt.description)
            if carrier == .tokens {
                fields(ofAccessToken: identity.tokens.token(for: grant), &json)
                json.field("refresh_token", grant.secret.reveal())
            }
        }
        if carrier == .cookie {
            reply.fields.append(
                "Set-Cookie", SessionCookie.field(grant.secret, until: grant.expiresAt, now: time.timestamp())
            )
        }
        return reply
    }

    private func fields(ofAccessToken token: Secret, _ json: inout JSONWriter) {
        json.field("token_type", "Bearer")
        json.field("access_token", token.reveal())
        json.field("expires_in", Int(SessionTokens.lifetime.nanoseconds / 1_000_000_000))
    }

    func switchOrganization(_ call: APICall) async throws -> Reply {
        let organization = call.fields.id("organization_id")
        let expiresAt = try await identity.store.switchSession(call.principal, to: organization)
        guard case .session(let session, let isCookie, _) = call.principal.credential else {
            throw Problem.invalidToken
        }
        let token = identity.tokens.token(of: session, user: call.principal.user, in: organization)
        return .json { json in
            json.field("session_id", session.description)
            json.field("organization_id", organization.description)
            json.field("session_expires_at", expiresAt.description)
            if !isCookie { fields(ofAccessToken: token, &json) }
        }
    }

    func acceptInvitation(_ call: APICall) async throws -> Reply {
        try refuseSSOSession(call)
        let change = try await identity.store.acceptInvitation(
            call.fields.string("invitation"), as: call.principal.user, by: call.actor)
        await identity.announce(change)
        let organization = try await identity.store.organization(
            change.organization, for: call.principal.user)
        return .json { json in json.fields(of: organization) }
    }

    // MARK: Mails

    func requestPasswordReset(_ call: APICall) async throws -> Reply {
        let email = call.fields.string("email")
        try await identity.throttle.admit(account: "reset \(email)", from: call.throttledAddress(self))
        try await inEvenTime { try await identity.store.requestPasswordReset(of: email) }
        return .empty(202)
    }

    func resetPassword(_ call: APICall) async throws -> Reply {
        let address = call.throttledAddress(self)
        let token = call.fields.string("token")
        try await identity.throttle.admit(account: "token \(token)", from: address)
        let hash = try await identity.passwords.hash(call.fields.secret("password"), on: loop)
        try await identity.store.resetPassword(token: token, to: hash, address: call.address?.description)
        return .empty(204)
    }

    func verifyEmail(_ call: APICall) async throws -> Reply {
        try await identity.store.verifyEmail(token: call.fields.string("token"))
        return .empty(204)
    }

    func resendVerification(_ call: APICall) async throws -> Reply {
        let email = call.fields.string("email")
        try await identity.throttle.admit(account: "verify \(email)", from: call.throttledAddress(self))
        try await inEvenTime { try await identity.store.requestVerification(of: email) }
        return .empty(202)
    }

    /// Takes longer than `body` does where the database is well: there is more to do for an address with an account than
    /// for one without, and no clock shall tell which it is.
    private func inEvenTime(_ body: () async throws -> Void) async throws {
        let end = Instant.now() + .milliseconds(50)
        try await body()
        try await loop.sleep(for: max(.zero, end - .now()))
    }

    // MARK: Oneself

    func showMe(_ call: APICall) async throws -> Reply {
        guard let account = try await identity.store.account(call.principal.user) else {
            throw Problem.invalidToken
        }
        let organization = try await identity.store.organization(
            call.principal.organization, for: call.principal.user)
        let permissions = call.principal.role.permissions.map(\.rawValue).sorted()
        return .json { json in
            json.object("account") { json in json.fields(of: account) }
            json.object("organization") { json in json.fields(of: organization) }
            json.array("permissions", permissions)
        }
    }

    func changeMe(_ call: APICall) async throws -> Reply {
        try refuseSSOSession(call)
        try await identity.store.setName(call.fields.optionalString("name"), of: call.principal.user)
        return try await showMe(call)
    }

    func changePassword(_ call: APICall) async throws -> Reply {
        try refuseSSOSession(call)
        try await identity.signIn.confirm(
            call.fields.secret("current_password"), of: call.principal.user,
            from: call.throttledAddress(self))
        let hash = try await identity.passwords.hash(call.fields.secret("new_password"), on: loop)
        try await identity.store.setPassword(
            hash, of: call.principal.user, sparing: call.principal.session, by: call.actor)
        return .empty(204)
    }

    func listSessions(_ call: APICall) async throws -> Reply {
        let sessions = try await identity.store.sessions(of: call.principal.user)
        return .json { json in
            json.list(sessions) { json, session in
                json.fields(of: session, current: call.principal.session)
            }
        }
    }

    func endSession(_ call: APICall) async throws -> Reply {
        try await identity.store.endSession(call.id("session_id"), of: call.principal.user)
        return .empty()
    }

    // MARK: The second factor

    func beginSecondFactor(_ call: APICall) async throws -> Reply {
        try refuseSSOSession(call)
        let new = try await identity.store.beginTOTP(of: call.principal.user)
        return .json { json in
            json.field("secret", new.secret.reveal())
            json.field("uri", new.uri.reveal())
        }
    }

    func confirmSecondFactor(_ call: APICall) async throws -> Reply {
        try refuseSSOSession(call)
        try await identity.throttle.admit(
            account: "totp \(call.principal.user)", from: call.throttledAddress(self))
        let codes = try await identity.store.confirmTOTP(
            call.fields.string("code"), of: call.principal.user, by: call.actor)
        await identity.throttle.succeeded(
            account: "totp \(call.principal.user)", from: call.throttledAddress(self))
        return .json { json in json.array("recovery_codes", codes.map { $0.reveal() }) }
    }

    func removeSecondFactor(_ call: APICall) async throws -> Reply {
        try refuseSSOSession(call)
        try await identity.signIn.confirm(
            call.fields.secret("current_password"), of: call.principal.user,
            from: call.throttledAddress(self))
        try await identity.store.removeTOTP(of: call.principal.user, by: call.actor)
        return .empty()
    }

    /// Whoever an organization's identity provider vouches for may work there; the account itself is not its.
    private func refuseSSOSession(_ call: APICall) throws {
        if case .session(_, _, bySSO: true) = call.principal.credential { throw Problem.boundToSSO }
    }
}
