import Base
import HTTPServer
import HTTPWire
package import Identity

/// What the management routes of one loop work with.
package struct IdentityServices: Sendable {
    package let store: IdentityStore
    package let signIn: SignIn
    package let passwords: PasswordPool
    package let throttle: LoginThrottle
    package let tokens: SessionTokens
    package let singleSignOn: SingleSignOn
    /// Tells every process that what it remembers of an organization's keys is wrong.
    package let announce: @Sendable (KeyChange) async -> Void
    /// What browsers see in the address bar.
    package let publicURL: String

    package init(
        store: IdentityStore, signIn: SignIn, passwords: PasswordPool, throttle: LoginThrottle,
        tokens: SessionTokens, singleSignOn: SingleSignOn, publicURL: String,
        announce: @escaping @Sendable (KeyChange) async -> Void
    ) {
        self.store = store
        self.signIn = signIn
        self.passwords = passwords
        self.throttle = throttle
        self.tokens = tokens
        self.singleSignOn = singleSignOn
        self.publicURL = publicURL
        self.announce = announce
    }
}

extension APICall {
    /// For the audit trail.
    var actor: Actor {
        Actor(principal, address: address?.description, requestID: exchange.id)
    }

    /// The organization in the path. It must be the caller's: another is as good as none.
    func ownOrganization() throws -> UUID {
        guard id("organization_id") == principal.organization else { throw Problem.notFound("organization") }
        return principal.organization
    }

    var userAgent: String? {
        exchange.request.fields["user-agent"].map { String(decoding: $0, as: UTF8.self) }
    }

    /// Of the client, where it can be told from others: what comes from a proxy of ours and names nobody is anybody.
    func throttledAddress(_ gateway: Gateway) -> String? {
        guard let address, !gateway.trustedNetworks.contains(where: { $0.contains(address) }) else {
            return nil
        }
        return address.description
    }
}
