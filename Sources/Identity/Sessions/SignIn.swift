package import Base
package import Loop

/// Signing in with an address and a password: the one way in beside single sign-on.
// Confined to its loop.
package final class SignIn: @unchecked Sendable {
    private let loop: EventLoop
    private let store: IdentityStore
    private let passwords: PasswordPool
    private let throttle: LoginThrottle

    package init(
        on loop: EventLoop, _ store: IdentityStore, passwords: PasswordPool, throttle: LoginThrottle
    ) {
        self.loop = loop
        self.store = store
        self.passwords = passwords
        self.throttle = throttle
    }

    /// What somebody says who wants in.
    package struct Attempt: Sendable {
        package var email: String
        package var password: Secret
        /// Of the second factor, or a recovery code.
        package var code: String?
        package var organization: UUID?
        package var invitation: String?
        package var origin: IdentityStore.SessionOrigin

        package init(
            email: String, password: Secret, code: String? = nil, organization: UUID? = nil,
            invitation: String? = nil, origin: IdentityStore.SessionOrigin
        ) {
            self.email = email
            self.password = password
            self.code = code
            self.organization = organization
            self.invitation = invitation
            self.origin = origin
        }
    }

    /// A session, and the change that an accepted invitation made.
    package func begin(_ attempt: Attempt) async throws -> (grant: SessionGrant, change: KeyChange?) {
        let account = try await admit(attempt)
        var change: KeyChange?
        if let invitation = attempt.invitation {
            let actor = Actor(.session, user: account.id, address: attempt.origin.address)
            change = try await store.acceptInvitation(invitation, as: account.id, by: actor)
        }
        let grant = try await store.beginSession(
            of: account.id, in: attempt.organization ?? change?.organization, from: attempt.origin)
        return (grant, change)
    }

    /// The account, after its password and its second factor. Counts as an attempt until both were right.
    private func admit(_ attempt: Attempt) async throws -> Account {
        try passwords.checkRoom()
        try await throttle.admit(account: attempt.email, from: attempt.origin.address)
        let account = try await store.account(withEmail: attempt.email)
        // An unknown address costs what a wrong password costs.
        let isRight = try await passwords.matches(attempt.password, account?.passwordHash, on: loop)
        guard let account, isRight, !account.isDisabled else { throw Problem.invalidCredentials }
        if store.settings.requiresVerifiedEmail, !account.isVerified, attempt.invitation == nil {
            throw Problem.invalidCredentials
        }
        try await askSecondFactor(of: account, attempt.code)
        await throttle.succeeded(account: attempt.email, from: attempt.origin.address)
        if let hash = account.passwordHash, hash.needsRehash {
            try await store.replaceHash(
                of: account.id, with: passwords.hash(attempt.password, on: loop), replacing: hash)
        }
        return account
    }

    private func askSecondFactor(of account: Account, _ code: String?) async throws {
        guard account.hasTOTP else { return }
        guard let code else {
            throw Problem(
                .unauthenticated, code: "totp_required",
                "This account has a second factor. Send its code, or a recovery code, as \"code\".",
                field: "code")
        }
        guard try await store.accepts(secondFactor: code, of: account.id) else {
            throw Problem(
                .unauthenticated, code: "invalid_code", "The code is wrong, or was used already.",
                field: "code")
        }
    }

    /// Whether `password` is that of a person who has signed in: asked again before what cannot be taken back.
    package func confirm(_ password: Secret, of user: UUID, from address: String?) async throws {
        guard let account = try await store.account(user) else { throw Problem.invalidToken }
        try await throttle.admit(account: account.email, from: address)
        guard try await passwords.matches(password, account.passwordHash, on: loop) else {
            throw Problem(
                .unprocessable, code: "wrong_password", "The current password is wrong.",
                field: "current_password")
        }
        await throttle.succeeded(account: account.email, from: address)
    }
}
