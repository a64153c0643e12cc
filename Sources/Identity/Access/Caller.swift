package import Base

/// Who makes a request, by virtue of a key: all that later decisions need, read once.
package struct Caller: Equatable, Sendable {
    package var organization: UUID
    package var user: UUID
    package var role: Role
    package var key: UUID
    package var scopes: Set<String>
    /// `nil` allows every model.
    package var allowedModels: Set<String>?
    package var expiresAt: Timestamp?

    package init(
        organization: UUID, user: UUID, role: Role, key: UUID, scopes: Set<String>,
        allowedModels: Set<String>? = nil, expiresAt: Timestamp? = nil
    ) {
        self.organization = organization
        self.user = user
        self.role = role
        self.key = key
        self.scopes = scopes
        self.allowedModels = allowedModels
        self.expiresAt = expiresAt
    }

    package func mayUse(model: String) -> Bool { allowedModels?.contains(model) ?? true }
    package func has(scope: String) -> Bool { scopes.contains(scope) }
}
