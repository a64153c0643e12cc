package import Base

/// An organization's identity provider, as its owner sees it: all but the secret.
package struct SSOConnection: Sendable {
    package var id: UUID
    package var organization: UUID
    /// The provider's name for itself, and where its description is found.
    package var issuer: String
    package var clientID: String
    /// What somebody is who comes for the first time.
    package var defaultRole: Role
    /// Whether members come this way only.
    package var isEnforced: Bool
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
}

/// What a connection is to be.
package struct NewSSOConnection: Sendable {
    package var issuer: String
    package var clientID: String
    /// `nil` keeps the one that is there, where the provider stays the same.
    package var clientSecret: Secret?
    package var defaultRole: Role
    package var isEnforced: Bool

    package init(
        issuer: String, clientID: String, clientSecret: Secret?, defaultRole: Role = .member,
        isEnforced: Bool = false
    ) {
        self.issuer = issuer
        self.clientID = clientID
        self.clientSecret = clientSecret
        self.defaultRole = defaultRole
        self.isEnforced = isEnforced
    }
}
