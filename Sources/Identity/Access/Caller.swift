package import Base

/// Who makes a request, by virtue of a key: all that later decisions need, read once. Small, because a process
/// remembers very many.
package struct Caller: Equatable, Sendable {
    package var organization: UUID
    package var user: UUID
    package var key: UUID
    package var role: Role
    package var scopes: KeyScopes
    /// `nil` allows every model.
    package var allowedModels: AllowedModels?
    package var expiresAt: Timestamp?
    /// Limits of the key's own, as the JSON that the database holds; `nil` where there are none.
    package var limits: [UInt8]?

    package init(
        organization: UUID, user: UUID, role: Role, key: UUID, scopes: KeyScopes,
        allowedModels: AllowedModels? = nil, expiresAt: Timestamp? = nil, limits: [UInt8]? = nil
    ) {
        self.organization = organization
        self.user = user
        self.role = role
        self.key = key
        self.scopes = scopes
        self.allowedModels = allowedModels
        self.expiresAt = expiresAt
        self.limits = limits
    }

    package func mayUse(model: String) -> Bool { allowedModels?.contains(model) ?? true }
    package func has(scope: String) -> Bool { KeyScopes.scope(named: scope).map(scopes.contains) ?? false }
}
