import HTTPWire
import Identity

/// Signing up, in and out, and what a person does about themselves.
enum AccountEndpoints {
    static let all = entry + own + secondFactor

    private static let email = Field("email", .email, "The address of the account.")

    private static let entry = [
        Endpoint(
            .post, "/api/auth/register", "register", group: "Accounts", "Makes an account.",
            description: """
                With an organization of its own, or as a member where an invitation is given. The answer is the same \
                whether the address has an account already: the mailbox learns it, the caller does not.
                """,
            access: .open,
            body: .object(
                [
                    email, Field("password", .password, "The password that is to be."),
                    .optional("name", .displayName, "What the person is called."),
                    .optional("organization", .displayName, "What their organization is to be called."),
                    .optional("invitation", .secret(1...200), "The token of an invitation to this address."),
                ],
                example:
                    #"{"email":"new@example.com","password":"correct horse battery","organization":"Example"}"#
            ),
            answers: [
                AnswerDescription(202, "Done, as far as anybody may know. Sign in, or look into the mailbox.")
            ]
        ) { gateway, call in try await gateway.register(call) },
        Endpoint(
            .post, "/api/auth/login", "login", group: "Accounts", "Begins a session.",
            description: """
                With `"session": "cookie"` the answer sets the cookie `__Host-hivegate` and holds no token: for \
                browsers. Otherwise it holds an access token, good for 15 minutes, and a refresh token, good once.
                """,
            access: .open,
            body: .object(
                [
                    email, Field("password", .secret(1...256), "Its password."),
                    .optional("code", .secret(1...64), "Of the second factor, or a recovery code."),
                    .optional("organization_id", .uuid, "Where to work; without it, the oldest membership."),
                    .optional("invitation", .secret(1...200), "An invitation that is accepted on the way."),
                    .optional(
                        "session", .choice(of: Session.Carrier.self), default: #""tokens""#,
                        "What carries the session."),
                ],
                example: #"{"email":"nobody@example.com","password":"correct horse battery"}"#),
            answers: [AnswerDescription(200, "The session.", .grant)]
        ) { gateway, call in try await gateway.login(call) },
        Endpoint(
            .post, "/api/auth/refresh", "refresh", group: "Accounts",
            "Exchanges a refresh token for the next pair of tokens.",
            description: "A refresh token is good once. Whoever presents it again ends the session.",
            access: .open,
            body: .object(
                [Field("refresh_token", .secret(1...200), "The last one that was given.")],
                example: #"{"refresh_token":"0000000000000000000000000000000000000000000"}"#),
            answers: [AnswerDescription(200, "The session, carried on.", .grant)]
        ) { gateway, call in try await gateway.refresh(call) },
        Endpoint(
            .post, "/api/auth/logout", "logout", group: "Accounts", "Ends the session.",
            access: .signedIn, answers: [AnswerDescription(204, "It has ended.")], endsSession: true
        ) { gateway, call in try await gateway.logout(call) },
        Endpoint(
            .post, "/api/auth/password/forgot", "requestPasswordReset", group: "Accounts",
            "Sends a link by which a new password is set, if there is such an account.",
            access: .open, body: .object([email], example: #"{"email":"nobody@example.com"}"#),
            answers: [AnswerDescription(202, "Look into the mailbox.")]
        ) { gateway, call in try await gateway.requestPasswordReset(call) },
        Endpoint(
            .post, "/api/auth/password/reset", "resetPassword", group: "Accounts",
            "Sets a new password by the token of a mail, and ends all sessions.",
            access: .open,
            body: .object(
                [
                    Field("token", .secret(1...200), "From the mail."),
                    Field("password", .password, "The password that is to be."),
                ],
                example:
                    #"{"token":"0000000000000000000000000000000000000000000","password":"correct horse battery"}"#
            ),
            answers: [AnswerDescription(204, "It is set.")]
        ) { gateway, call in try await gateway.resetPassword(call) },
        Endpoint(
            .post, "/api/auth/verify-email", "verifyEmail", group: "Accounts",
            "Confirms an address by the token of a mail.",
            access: .open,
            body: .object(
                [Field("token", .secret(1...200), "From the mail.")],
                example: #"{"token":"0000000000000000000000000000000000000000000"}"#),
            answers: [AnswerDescription(204, "It is confirmed.")]
        ) { gateway, call in try await gateway.verifyEmail(call) },
        Endpoint(
            .post, "/api/auth/verify-email/resend", "resendVerification", group: "Accounts",
            "Sends the link that confirms an address once more, where it is wanted.",
            access: .open, body: .object([email], example: #"{"email":"nobody@example.com"}"#),
            answers: [AnswerDescription(202, "Look into the mailbox.")]
        ) { gateway, call in try await gateway.resendVerification(call) },
        Endpoint(
            .get, "/.well-known/jwks.json", "listPublicKeys", group: "Accounts",
            "The public keys under which access tokens are signed.", access: .open,
            answers: [
                AnswerDescription(
                    200, "A JSON Web Key Set.",
                    .openObject([Field("keys", .array(of: .openObject([])), "The keys.")]))
            ]
        ) { gateway, _ in .json(200, gateway.identity.tokens.publicKeys) },
    ]

    private static let own = [
        Endpoint(
            .get, "/api/auth/me", "showMe", group: "Accounts",
            "Who the caller is, and what they may do here.",
            access: .signedIn, answers: [AnswerDescription(200, "The caller.", me)]
        ) { gateway, call in try await gateway.showMe(call) },
        Endpoint(
            .patch, "/api/auth/me", "changeMe", group: "Accounts", "Changes what the person is called.",
            access: .signedIn,
            body: .object(
                [
                    Field(
                        "name", .displayName, isNullable: true, "What the person is called; null for nothing."
                    )
                ],
                example: #"{"name":"Ada"}"#),
            answers: [AnswerDescription(200, "The caller.", me)]
        ) { gateway, call in try await gateway.changeMe(call) },
        Endpoint(
            .post, "/api/auth/password", "changePassword", group: "Accounts",
            "Sets a new password, and ends all other sessions.",
            access: .signedIn,
            body: .object(
                [
                    Field("current_password", .secret(1...256), "The password that is."),
                    Field("new_password", .password, "The password that is to be."),
                ],
                example: #"{"current_password":"wrong horse battery","new_password":"correct horse battery"}"#
            ),
            answers: [AnswerDescription(204, "It is set.")]
        ) { gateway, call in try await gateway.changePassword(call) },
        Endpoint(
            .get, "/api/auth/sessions", "listSessions", group: "Accounts", "Lists the person's sessions.",
            access: .signedIn,
            answers: [AnswerDescription(200, "Those that have not ended.", .list(of: .session))]
        ) { gateway, call in try await gateway.listSessions(call) },
        Endpoint(
            .delete, "/api/auth/sessions/{session_id}", "endSession", group: "Accounts",
            "Ends one of the person's sessions.", access: .signedIn,
            parameters: [PathParameter("session_id", .object(.session), "The session.")],
            answers: [AnswerDescription(204, "It has ended.")], endsSession: true
        ) { gateway, call in try await gateway.endSession(call) },
        Endpoint(
            .post, "/api/auth/switch", "switchOrganization", group: "Accounts",
            "Works in another of the person's organizations from now on.", access: .signedIn,
            body: .object(
                [Field("organization_id", .uuid, "Where to work.")],
                example: #"{"organization_id":"019f3a52-7c1e-7b04-9d52-3f0e6a1b2c4d"}"#),
            answers: [AnswerDescription(200, "The session, in the other organization.", .grant)]
        ) { gateway, call in try await gateway.switchOrganization(call) },
        Endpoint(
            .post, "/api/auth/invitations/accept", "acceptInvitation", group: "Accounts",
            "Joins the organization that an invitation is to.", access: .signedIn,
            body: .object(
                [Field("invitation", .secret(1...200), "The token from the mail.")],
                example: #"{"invitation":"0000000000000000000000000000000000000000000"}"#),
            answers: [AnswerDescription(200, "The organization.", .organization)]
        ) { gateway, call in try await gateway.acceptInvitation(call) },
    ]

    private static let secondFactor = [
        Endpoint(
            .post, "/api/auth/totp", "beginSecondFactor", group: "Accounts",
            "Begins to set up a second factor (TOTP).",
            description: "Nothing is asked for before a first code confirms it.",
            access: .signedIn,
            answers: [
                AnswerDescription(
                    200, "What the authenticator needs. It is shown once.",
                    .object([
                        Field("secret", .string(16...64), "In base32."),
                        Field("uri", .string(1...1000), "For a QR code."),
                    ]))
            ]
        ) { gateway, call in try await gateway.beginSecondFactor(call) },
        Endpoint(
            .post, "/api/auth/totp/confirm", "confirmSecondFactor", group: "Accounts",
            "Turns the second factor on, by a first code.", access: .signedIn,
            body: .object(
                [Field("code", .secret(6...10), "From the authenticator.")], example: #"{"code":"000000"}"#),
            answers: [
                AnswerDescription(
                    200, "Codes for when the authenticator is lost, each good once. They are shown once.",
                    .object([Field("recovery_codes", .array(of: .string(1...64)), "The codes.")]))
            ]
        ) { gateway, call in try await gateway.confirmSecondFactor(call) },
        Endpoint(
            .post, "/api/auth/totp/remove", "removeSecondFactor", group: "Accounts",
            "Removes the second factor.", access: .signedIn,
            body: .object(
                [Field("current_password", .secret(1...256), "The account's password.")],
                example: #"{"current_password":"wrong horse battery"}"#),
            answers: [AnswerDescription(204, "It is removed.")]
        ) { gateway, call in try await gateway.removeSecondFactor(call) },
    ]

    private static let me = Schema.object([
        Field("account", .account, "The person."),
        Field("organization", .organization, "Where they work now."),
        Field("permissions", .array(of: .choice(of: Permission.self)), "What they may do there."),
    ]).named("Me")
}
