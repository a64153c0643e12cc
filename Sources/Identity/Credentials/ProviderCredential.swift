package import Base

/// A key for a provider, as its owner sees it: all but the key.
package struct ProviderCredential: Sendable {
    package var id: UUID
    /// `nil`: the operator's, for everybody.
    package var organization: UUID?
    package var provider: String
    package var name: String
    package var baseURL: String?
    /// `nil`: it has no key, because its URL was changed.
    package var lastFour: String?
    package var isDisabled: Bool
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
}

/// What a new credential is.
package struct NewCredential: Sendable {
    package var provider: String
    package var name: String
    package var baseURL: String?
    package var key: Secret

    package init(provider: String, name: String, baseURL: String?, key: Secret) {
        self.provider = provider
        self.name = name
        self.baseURL = baseURL
        self.key = key
    }
}

/// What of a credential is to be changed; `nil` leaves it.
package struct CredentialPatch: Sendable {
    package var name: String?
    package var baseURL: String??
    package var key: Secret?
    package var isDisabled: Bool?

    package init() {}
}
