package import Base

/// Who makes a request, by virtue of a key: all that later decisions need, read once and never changed.
///
/// An object, because a process remembers very many, and every request that waits for something holds one.
package final class Caller: Sendable {
    package let organization: UUID
    package let user: UUID
    package let key: UUID
    package let role: Role
    package let scopes: KeyScopes
    /// `nil` allows every model.
    package let allowedModels: AllowedModels?
    package let expiresAt: Timestamp?
    /// Limits of the key's own, as the JSON that the database holds; `nil` where there are none.
    package let limits: [UInt8]?
    /// `nil`: the organization has neither keys for providers nor a policy of its own. Otherwise the generation as of
    /// which that is known: see `StoredRouting`.
    package let ownRoutes: Int64?
    /// `nil`: nobody has said anything of its organization that limits it, and its months are those of UTC.
    package let terms: OrganizationTerms?

    package init(
        organization: UUID, user: UUID, role: Role, key: UUID, scopes: KeyScopes,
        allowedModels: AllowedModels? = nil, expiresAt: Timestamp? = nil, limits: [UInt8]? = nil,
        ownRoutes: Int64? = nil, terms: OrganizationTerms? = nil
    ) {
        self.organization = organization
        self.user = user
        self.role = role
        self.key = key
        self.scopes = scopes
        self.allowedModels = allowedModels
        self.expiresAt = expiresAt
        self.limits = limits
        self.ownRoutes = ownRoutes
        self.terms = terms
    }

    package func mayUse(model: String) -> Bool { allowedModels?.contains(model) ?? true }
}

extension Caller: Equatable {
    package static func == (left: Caller, right: Caller) -> Bool {
        left.organization == right.organization && left.user == right.user && left.key == right.key
            && left.role == right.role && left.scopes == right.scopes
            && left.allowedModels == right.allowedModels && left.expiresAt == right.expiresAt
            && left.limits == right.limits && left.ownRoutes == right.ownRoutes
            && left.terms == right.terms
    }
}
