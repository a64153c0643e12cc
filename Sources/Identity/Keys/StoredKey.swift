package import Base
package import Postgres

/// An API key as its organization sees it: all but the key.
package struct StoredKey: Sendable {
    package var id: UUID
    package var user: UUID
    package var name: String
    package var lastFour: String
    package var scopes: [String]
    /// `nil` allows every model.
    package var allowedModels: [String]?
    package var limits: PostgresJSON
    package var createdAt: Timestamp
    package var expiresAt: Timestamp?
    package var revokedAt: Timestamp?
    package var lastUsedAt: Timestamp?
    package var rotatedFrom: UUID?
}

/// What a key is to be.
package struct NewKey: Sendable {
    package var name: String
    package var scopes: [String]
    package var allowedModels: [String]?
    package var limits: PostgresJSON
    package var expiresAt: Timestamp?
    package var rotatedFrom: UUID?

    package init(
        name: String, scopes: [String] = ["inference"], allowedModels: [String]? = nil,
        limits: PostgresJSON = PostgresJSON("{}"), expiresAt: Timestamp? = nil, rotatedFrom: UUID? = nil
    ) {
        self.name = name
        self.scopes = scopes
        self.allowedModels = allowedModels
        self.limits = limits
        self.expiresAt = expiresAt
        self.rotatedFrom = rotatedFrom
    }
}

/// What of a key is to be changed; `nil` leaves it.
package struct KeyPatch: Sendable {
    package var name: String?
    package var scopes: [String]?
    package var allowedModels: [String]??
    package var limits: PostgresJSON?
    package var expiresAt: Timestamp??

    package init() {}
}
