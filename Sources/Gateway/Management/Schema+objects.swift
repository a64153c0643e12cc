import Identity

/// What the management routes answer with, described once.
extension Schema {
    static let password = Schema.secret(12...256).described("At least 12 characters.")
    static let role = Schema.choice(of: Role.self)
    static let displayName = Schema.line(1...200)

    static let account = Schema.object([
        Field("id", .uuid, "The account."),
        Field("email", .string(3...320), "Its address."),
        Field("name", .string(1...200), isNullable: true, "What the person is called."),
        Field("email_verified", .boolean, "Whether the address was confirmed."),
        Field("second_factor", .boolean, "Whether a second factor is asked for."),
        Field("operator", .boolean, "Whether they manage the instance itself."),
        Field("disabled", .boolean, "Whether the account is shut out."),
        Field("created_at", .timestamp, "When it was made."),
    ]).named("Account")

    static let organization = Schema.object([
        Field("id", .uuid, "The organization."),
        Field("name", .string(1...200), "Its name."),
        Field("role", role, isNullable: true, "What the caller is there."),
        Field("created_at", .timestamp, "When it was made."),
        Field(
            "deleted_at", .timestamp, isNullable: true, "When it was deleted; it can be restored for 30 days."
        ),
    ]).named("Organization")

    static let member = Schema.object([
        Field("user_id", .uuid, "The member."),
        Field("email", .string(3...320), "Their address."),
        Field("name", .string(1...200), isNullable: true, "What they are called."),
        Field("role", role, "What they are in the organization."),
        Field("joined_at", .timestamp, "Since when."),
    ]).named("Member")

    static let invitation = Schema.object([
        Field("id", .uuid, "The invitation."),
        Field("email", .string(3...320), "The mailbox that it was sent to."),
        Field("role", role, "What the person is to be."),
        Field("created_at", .timestamp, "When it was sent."),
        Field("expires_at", .timestamp, "Until when it can be accepted."),
    ]).named("Invitation")

    static let session = Schema.object([
        Field("id", .uuid, "The session."),
        Field("organization_id", .uuid, "The organization that it works in."),
        Field("carrier", choice(of: Session.Carrier.self), "A browser's cookie, or tokens."),
        Field("single_sign_on", .boolean, "Whether it came by single sign-on."),
        Field("current", .boolean, "Whether it is the one that asks."),
        Field("address", .string(0...64), isNullable: true, "From where it was begun."),
        Field("user_agent", .string(0...200), isNullable: true, "By which program."),
        Field("created_at", .timestamp, "When it was begun."),
        Field("last_used_at", .timestamp, "When it was last used, to the minute."),
        Field("expires_at", .timestamp, "When it ends."),
    ]).named("Session")

    static let grant = Schema.object([
        Field("session_id", .uuid, "The session."),
        Field("organization_id", .uuid, "The organization that it works in."),
        Field("session_expires_at", .timestamp, "When it ends, whatever is done."),
        Field.optional("token_type", .choice(["Bearer"]), "How the access token is sent."),
        Field.optional("access_token", .string(1...4096), "Good for 15 minutes, as `Authorization: Bearer`."),
        Field.optional("expires_in", .integer(1...900), "For how many seconds the access token is good."),
        Field.optional("refresh_token", .string(1...200), "Good once, for the next pair of tokens."),
    ]).named("SessionGrant")

    static let scope = Schema.choice(KeyScopes.allNames)

    static let apiKey = Schema.object(keyFields).named("APIKey")
    static let newAPIKey = Schema.object(
        keyFields + [Field("key", .string(40...60), "The key itself. It is shown now and never again.")]
    ).named("NewAPIKey")

    private static let keyFields = [
        Field("id", .uuid, "The key's name to this API."),
        Field("user_id", .uuid, "Whose it is."),
        Field("name", .string(1...200), "What it is for."),
        Field("prefix", .string(1...20), "How every key begins."),
        Field("last_four", .string(4...4), "How this one ends."),
        Field("scopes", .array(of: .string(1...64)), "What it may do."),
        Field(
            "allowed_models", .array(of: .string(1...200), 0...1000), isNullable: true,
            "The models that it may use; null for all."),
        Field("limits", .limits, "Its own limits, below those of the organization."),
        Field("created_at", .timestamp, "When it was made."),
        Field("expires_at", .timestamp, isNullable: true, "When it ends."),
        Field("last_used_at", .timestamp, isNullable: true, "When it was last used, to the minute."),
        Field("rotated_from", .uuid, isNullable: true, "The key that it replaces."),
    ]

    static let credential = Schema.object([
        Field("id", .uuid, "The credential."),
        Field("provider", .string(1...64), "Whose key it is."),
        Field("name", .string(1...200), "What it is for."),
        Field(
            "base_url", .string(1...2048), isNullable: true,
            "Where its requests go, instead of the provider's own address."),
        Field(
            "last_four", .string(0...4), isNullable: true,
            "How the key ends; null where it has none: set one."),
        Field("disabled", .boolean, "Whether it is left out."),
        Field("created_at", .timestamp, "When it was made."),
        Field("updated_at", .timestamp, "When it was last changed."),
    ]).named("Credential")

    static let ssoConnection = Schema.object([
        Field("id", .uuid, "The connection."),
        Field("issuer", .string(1...2000), "The identity provider."),
        Field("client_id", .string(1...500), "How the provider calls this instance."),
        Field("default_role", role, "What somebody is who comes new."),
        Field("enforced", .boolean, "Whether members come this way only."),
        Field("created_at", .timestamp, "When it was set up."),
        Field("updated_at", .timestamp, "When it was last changed."),
    ]).named("SingleSignOn")

    static let auditEntry = Schema.object([
        Field("sequence", .integer(1...Int.max), "Its place in the chain."),
        Field("id", .uuid, "The entry."),
        Field("at", .timestamp, "When it happened."),
        Field("actor", actor, "Who did it."),
        Field("action", .string(1...100), "What was done."),
        Field("target", target, "To what."),
        Field("before", .any, "As it was; null where there was nothing."),
        Field("after", .any, "As it is; null where there is nothing."),
        Field("request_id", .string(1...200), isNullable: true, "The request that did it."),
    ]).named("AuditEntry")

    private static let actor = Schema.object([
        Field("kind", .choice(["session", "key", "sso", "command", "system"]), "How they came."),
        Field("user_id", .uuid, isNullable: true, "The person."),
        Field("key_id", .uuid, isNullable: true, "The API key."),
        Field("address", .string(1...64), isNullable: true, "From where."),
    ]).named("Actor")

    private static let target = Schema.object([
        Field("kind", .string(1...100), "What it is."),
        Field("id", .string(1...200), "Which one."),
    ]).named("Target")

    /// A list of them, and whether there are more.
    static func list(of element: Schema) -> Schema {
        .object([
            Field("data", .array(of: element, 0...10_000), "What was found."),
            Field("has_more", .boolean, "Whether there is more behind the last."),
        ])
    }
}
