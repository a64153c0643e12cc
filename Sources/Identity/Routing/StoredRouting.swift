package import Base

/// A provider that was added to those that a release knows.
package struct StoredProvider: Equatable, Sendable {
    package var name: String
    /// For people.
    package var title: String
    package var dialect: String
    package var baseURL: String
    package var createdAt: Timestamp

    package init(name: String, title: String, dialect: String, baseURL: String, createdAt: Timestamp) {
        self.name = name
        self.title = title
        self.dialect = dialect
        self.baseURL = baseURL
        self.createdAt = createdAt
    }
}

/// A credential that is not disabled, for requests to its provider.
package struct RoutingCredential: Equatable, Sendable {
    package var id: UUID
    package var provider: String
    /// nil: the provider's own address.
    package var baseURL: String?
    package var key: Key

    package enum Key: Equatable, Sendable {
        case open(Secret)
        /// It does not open: somebody changed it, or its master key is another one.
        case shut(Vault.Failure)
        /// It was taken away with a change of the URL.
        case missing
    }

    package init(id: UUID, provider: String, baseURL: String?, key: Key) {
        self.id = id
        self.provider = provider
        self.baseURL = baseURL
        self.key = key
    }
}

/// What an organization says about where its requests go, and with which keys.
package struct StoredRouting: Sendable {
    /// As new as this: see `Caller.ownRoutes`.
    package var generation: Int64
    /// JSON; nil: it has none.
    package var policy: [UInt8]?
    /// The oldest first.
    package var credentials: [RoutingCredential]
}
