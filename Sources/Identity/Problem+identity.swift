package import Base

extension Problem {
    /// Absent, and everything of another organization.
    package static func notFound(_ what: String) -> Problem {
        Problem(.notFound, code: "not_found", "There is no such \(what).")
    }

    /// One text for an unknown address, a wrong password, a disabled account and one that is not confirmed.
    static let invalidCredentials = Problem(
        .unauthenticated, code: "invalid_credentials",
        "The e-mail address or the password is wrong, or the address is not confirmed yet.")

    /// One text for a token that is expired, forged, used or unknown.
    package static let invalidToken = Problem(
        .unauthenticated, code: "invalid_token",
        "The session is not valid, or no longer. Sign in again.")

    static let invalidLink = Problem(
        .unauthenticated, code: "invalid_token",
        "The link is not valid, was used already or has expired. Ask for a new one.", field: "token")

    package static func forbidden(_ permission: Permission, _ role: Role) -> Problem {
        Problem(
            .forbidden, code: "role_forbidden",
            "This needs the permission \"\(permission.rawValue)\", which the role \(role.rawValue) or this key does not have."
        )
    }

    static let needsOwner = Problem(
        .conflict, code: "last_owner",
        "An organization needs an owner. Make somebody else an owner first.")

    package static let ssoRequired = Problem(
        .forbidden, code: "sso_required",
        "This organization admits its members by single sign-on only. Sign in through its identity provider.")

    package static let boundToSSO = Problem(
        .forbidden, code: "sso_session",
        "This session came by single sign-on and is good for its organization only. Sign in with your password."
    )

    package static let registrationClosed = Problem(
        .forbidden, code: "registration_closed",
        "This instance takes nobody new by themselves. Ask its operator, or a member, for an invitation.")
}
