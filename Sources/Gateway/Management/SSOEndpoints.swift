import HTTPWire
import Identity

/// Signing in through an organization's identity provider, and setting up that provider.
enum SSOEndpoints {
    static let all = entry + connection

    private static let entry = [
        Endpoint(
            .get, "/api/auth/sso/{organization_id}", "beginSingleSignOn", group: "Single sign-on",
            "Sends a browser to the organization's identity provider.",
            description: """
                The provider sends it back to `/api/auth/sso/callback`, which must be registered there as redirect URI, \
                within ten minutes.
                """,
            access: .open,
            parameters: [
                PathParameter("organization_id", .object(.organization), "Where to sign in.")
            ],
            query: [
                QueryParameter(
                    "session", .choice(of: Session.Carrier.self), default: #""cookie""#,
                    "What the sign-in ends with: a browser's cookie, or tokens as JSON, for programs.")
            ],
            answers: [
                AnswerDescription(303, "To the identity provider."),
                AnswerDescription(404, "There is no such organization, or it has no single sign-on."),
                AnswerDescription(502, "The identity provider cannot be reached."),
                AnswerDescription(504, "The identity provider does not answer."),
            ]
        ) { gateway, call in try await gateway.beginSSO(call) },
        Endpoint(
            .get, "/api/auth/sso/callback", "finishSingleSignOn", group: "Single sign-on",
            "Begins a session, with what the identity provider has sent the browser back with.",
            description: """
                The session is good in that organization only. Whoever comes for the first time is linked to the member \
                with their confirmed e-mail address, or becomes a member; an account that is no member needs an invitation.
                """,
            access: .open,
            query: [
                QueryParameter("code", .string(1...4096), "What the provider is asked about."),
                QueryParameter("state", .string(1...200), "What the sign-in was begun with."),
                QueryParameter("iss", .string(1...2000), "Who the provider is."),
                QueryParameter("error", .string(1...200), "Why there is no code."),
            ], ignoresUnknownQuery: true,
            answers: [
                AnswerDescription(200, "The session, where tokens were asked for.", .grant),
                AnswerDescription(303, "To the start page, with the session's cookie."),
                AnswerDescription(502, "The identity provider cannot be reached."),
                AnswerDescription(504, "The identity provider does not answer."),
            ]
        ) { gateway, call in try await gateway.finishSSO(call) },
    ]

    private static let path = "/api/v1/organizations/{organization_id}/sso"
    private static let parameter = OrganizationEndpoints.parameter
    private static let role = Schema.choice(
        Role.allCases.filter { $0 != .owner }.map(\.rawValue))

    private static let connection = [
        Endpoint(
            .get, path, "showSingleSignOn", group: "Single sign-on",
            "Shows the organization's identity provider, all but the secret.",
            access: .member(.manageSSO), parameters: [parameter],
            answers: [AnswerDescription(200, "All but the secret.", .ssoConnection)]
        ) { gateway, call in try await gateway.showSSO(call) },
        Endpoint(
            .put, path, "setSingleSignOn", group: "Single sign-on",
            "Sets the organization's identity provider.",
            description: """
                Another issuer needs another secret, and ends the sessions that the former has vouched for. Where it is \
                enforced, members work in this organization only by single sign-on; API keys go on. It can be enforced \
                once somebody has signed in through it.
                """,
            access: .member(.manageSSO), parameters: [parameter],
            body: .object(
                [
                    Field(
                        "issuer", .url,
                        "The provider's issuer. Its description is read at /.well-known/openid-configuration."
                    ),
                    Field("client_id", .line(1...500), "How the provider calls this instance."),
                    .optional(
                        "client_secret", .secret(1...2000),
                        "The secret that the provider knows it by. Without it the present one stays."),
                    .optional(
                        "default_role", role, default: #""member""#, "What somebody is who comes new."),
                    .optional(
                        "enforced", .boolean, default: "false", "Whether members come this way only."),
                ],
                example:
                    #"{"issuer":"https://login.example.com","client_id":"hivegate","client_secret":"example-secret"}"#
            ),
            answers: [
                AnswerDescription(200, "All but the secret.", .ssoConnection),
                AnswerDescription(409, "Nobody has signed in through it yet, so it cannot be enforced."),
            ]
        ) { gateway, call in try await gateway.setSSO(call) },
        Endpoint(
            .delete, path, "removeSingleSignOn", group: "Single sign-on",
            "Removes the organization's identity provider, and ends the sessions that it has vouched for.",
            access: .member(.manageSSO), parameters: [parameter],
            answers: [AnswerDescription(204, "It is removed.")], endsSession: true
        ) { gateway, call in try await gateway.removeSSO(call) },
    ]
}
