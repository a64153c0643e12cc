package import Base

/// Who makes a management request, where, and as what.
package struct Principal: Equatable, Sendable {
    package var user: UUID
    package var organization: UUID
    /// As the organization has it now, not as a token once said.
    package var role: Role
    /// Whether they manage the instance itself.
    package var isOperator: Bool
    package var credential: Credential

    /// What they showed.
    package enum Credential: Equatable, Sendable {
        case session(UUID, isCookie: Bool, bySSO: Bool)
        case key(Caller)
    }

    package init(
        user: UUID, organization: UUID, role: Role, isOperator: Bool, credential: Credential
    ) {
        self.user = user
        self.organization = organization
        self.role = role
        self.isOperator = isOperator
        self.credential = credential
    }

    /// The role decides; a key may do no more than its scopes say, whatever its owner may.
    package func may(_ permission: Permission) -> Bool {
        guard role.may(permission) else { return false }
        switch credential {
        case .session: return true
        case .key(let caller):
            let scopes = caller.scopes
            return switch permission {
            case .infer: scopes.contains(.inference)
            // Whoever asks models or looks after them may see which there are.
            case .readModels: !scopes.isEmpty
            case _ where permission.isRead: !scopes.isDisjoint(with: [.read, .admin])
            default: scopes.contains(.admin)
            }
        }
    }

    package var session: UUID? {
        if case .session(let session, _, _) = credential { session } else { nil }
    }
}
