import Base

extension Problem {
    static let noClientSecret = Problem(
        .unprocessable, code: "missing_client_secret",
        "The secret that this identity provider knows us by is missing. Give \"client_secret\".",
        field: "client_secret")

    static let ssoStateUnknown = Problem(
        .forbidden, code: "sso_state_unknown",
        "This sign-in was not begun here, was finished already, or took more than ten minutes. Begin again.")

    static func ssoInvalid(_ detail: String) -> Problem {
        Problem(
            .forbidden, code: "sso_invalid_answer",
            "What the identity provider says is not valid. Begin again; if that does not help, ask whoever runs it.",
            detail: detail)
    }

    static func ssoDenied(_ detail: String) -> Problem {
        Problem(
            .forbidden, code: "sso_denied", "The identity provider did not sign you in. Begin again.",
            detail: detail)
    }

    static let ssoStranger = Problem(
        .forbidden, code: "sso_not_a_member",
        "There is an account with your e-mail address, and it is no member of this organization. Ask an owner or admin for an invitation, and accept it with that account."
    )

    static let accountDisabled = Problem(
        .forbidden, code: "account_disabled", "This account is shut out. Ask the operator of this instance.")

    static func ssoUnreachable(_ detail: String) -> Problem {
        Problem(
            .badGateway, code: "sso_provider_unreachable",
            "The organization's identity provider cannot be reached, or does not answer as it should. Try again; if that does not help, ask whoever runs it.",
            detail: detail)
    }

    static let ssoAddressRefused = Problem(
        .badGateway, code: "sso_address_refused",
        "The organization's identity provider is at an address that this instance does not speak to. Its operator can allow it (HIVEGATE_OUTBOUND_ALLOW)."
    )
}
