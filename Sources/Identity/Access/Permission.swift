/// One thing that a role allows or does not. Its raw value is what a refused caller is told.
package enum Permission: String, CaseIterable, Sendable {
    case readOrganization = "organization.read"
    case updateOrganization = "organization.update"
    case deleteOrganization = "organization.delete"
    case transferOwnership = "organization.transfer"
    case readMembers = "members.read"
    case manageMembers = "members.manage"
    case readKeys = "keys.read"
    /// To make and change keys of one's own.
    case ownKeys = "keys.own"
    /// Also those of others.
    case manageKeys = "keys.manage"
    case manageCredentials = "credentials.manage"
    case manageSSO = "sso.manage"
    case readAudit = "audit.read"
    /// To see what the organization pays for, what it owes and what it has paid.
    case readBilling = "billing.read"
    /// To choose what it pays for.
    case manageBilling = "billing.manage"
    /// To see which models there are, what they cost, how their providers fare, and how much of them one may use.
    case readModels = "models.read"
    case infer = "inference"

    static let reservedForOwners: Set<Permission> = [.deleteOrganization, .transferOwnership, .manageSSO]

    /// Whether it lets nobody change anything.
    package var isRead: Bool {
        switch self {
        case .readOrganization, .readMembers, .readKeys, .readAudit, .readBilling, .readModels: true
        default: false
        }
    }
}
