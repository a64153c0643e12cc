import Postgres

/// What a member is in an organization, from most to least.
package enum Role: String, CaseIterable, Sendable, Comparable {
    case owner, admin, member, viewer

    /// The one table of who may do what. Routes name a permission and consult nothing else.
    package var permissions: Set<Permission> {
        switch self {
        case .owner: Set(Permission.allCases)
        case .admin: Set(Permission.allCases).subtracting(Permission.reservedForOwners)
        case .member: Self.viewer.permissions.union([.infer, .ownKeys])
        case .viewer: [.readOrganization, .readMembers, .readKeys, .readModels]
        }
    }

    package func may(_ permission: Permission) -> Bool { permissions.contains(permission) }

    /// Whether one of this role may invite, change or remove one of `other`: an owner anybody, an admin those below.
    package func mayManage(_ other: Role) -> Bool {
        may(.manageMembers) && (self == .owner || self < other)
    }

    /// The more powerful is the lesser, as in `allCases`.
    package static func < (left: Role, right: Role) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .owner: 0
        case .admin: 1
        case .member: 2
        case .viewer: 3
        }
    }
}

extension Role: PostgresCodable {}
