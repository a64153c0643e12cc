package import Base
package import Identity

/// Who may call an endpoint. Authorization, the document and the tests of roles all read this and nothing else.
package enum Access: Equatable, Sendable {
    /// Nobody is asked.
    case open
    /// An API key with the scope `inference`.
    case inference
    /// Any session, whatever its role: things about oneself.
    case signedIn
    /// A session, or an API key whose scopes allow it; the role decides.
    case member(Permission)
    /// A session of one who manages the instance itself. No key does that: keys belong to an organization.
    case operatorOnly

    /// As `RouteMetadata.access` and the document say it.
    package var description: String {
        switch self {
        case .open: "public"
        case .inference: "key:inference"
        case .signedIn: "session"
        case .member(let permission): "member:\(permission.rawValue)"
        case .operatorOnly: "operator"
        }
    }

    /// Whether an API key can be enough.
    package var takesKeys: Bool {
        switch self {
        case .inference, .member: true
        case .open, .signedIn, .operatorOnly: false
        }
    }

    /// Whether a session can be enough.
    package var takesSessions: Bool {
        switch self {
        case .signedIn, .member, .operatorOnly: true
        case .open, .inference: false
        }
    }

    /// Refuses one who is known but may not do this.
    package func admit(_ principal: Principal) throws(Problem) {
        let isSession = principal.session != nil
        switch self {
        case .open: return
        case .inference:
            guard principal.may(.infer) else { throw Self.forbidden(.infer, principal) }
        case .signedIn:
            guard isSession else { throw Self.sessionRequired }
        case .member(let permission):
            guard principal.may(permission) else { throw Self.forbidden(permission, principal) }
        case .operatorOnly:
            guard isSession else { throw Self.sessionRequired }
            guard principal.isOperator else {
                throw Problem(
                    .forbidden, code: "role_forbidden",
                    "Only an operator of this instance may do this (permission \"operator\").")
            }
        }
    }

    private static let sessionRequired = Problem(
        .forbidden, code: "session_required",
        "An API key is not enough here. Sign in and use the session.")

    private static func forbidden(_ permission: Permission, _ principal: Principal) -> Problem {
        let role = principal.role.rawValue
        return principal.role.may(permission)
            ? Problem(
                .forbidden, code: "missing_scope",
                "This API key's scopes do not allow \"\(permission.rawValue)\". Use a key that has the scope."
            )
            : Problem(
                .forbidden, code: "role_forbidden",
                "The role \"\(role)\" does not allow \"\(permission.rawValue)\". Ask an owner or admin of the organization."
            )
    }
}
