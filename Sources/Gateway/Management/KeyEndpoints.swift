import HTTPWire
import Identity

/// The API keys of an organization.
enum KeyEndpoints {
    private static let keyID = PathParameter("key_id", .object(.apiKey), "The key.")
    private static let name = Field("name", .displayName, "What it is for.")
    private static let scopes = Schema.array(of: .scope, 1...3, isUnique: true)
    private static let models = Schema.array(of: .line(1...200), 1...1000, isUnique: true)
    private static let limits = Field.optional(
        "limits", .limits, "Its own limits, below those of the organization.")

    static let all = [
        Endpoint(
            .get, "/api/auth/api-keys", "listKeys", group: "API keys", "Lists the organization's keys.",
            access: .member(.readKeys),
            answers: [AnswerDescription(200, "Those that are not revoked.", .list(of: .apiKey))]
        ) { gateway, call in try await gateway.listKeys(call) },
        Endpoint(
            .post, "/api/auth/api-keys", "createKey", group: "API keys", "Makes a key for the caller.",
            access: .member(.ownKeys),
            body: .object(
                [
                    name,
                    .optional("scopes", scopes, default: #"["inference"]"#, "What it may do."),
                    .optional(
                        "allowed_models", models, isNullable: true,
                        "The models that it may use; null for all."),
                    limits,
                    .optional("expires_at", .timestamp, isNullable: true, "When it ends; null for never."),
                ],
                example: #"{"name":"Production","scopes":["inference"],"limits":{"requests_per_minute":600}}"#
            ),
            answers: [
                AnswerDescription(201, "The key. It is shown now and never again.", .newAPIKey),
                AnswerDescription(409, "There are too many keys."),
            ]
        ) { gateway, call in try await gateway.createKey(call) },
        Endpoint(
            .get, "/api/auth/api-keys/{key_id}", "showKey", group: "API keys", "Shows what a key may do.",
            access: .member(.readKeys), parameters: [keyID],
            answers: [AnswerDescription(200, "All but the key.", .apiKey)]
        ) { gateway, call in try await gateway.showKey(call) },
        Endpoint(
            .patch, "/api/auth/api-keys/{key_id}", "changeKey", group: "API keys",
            "Changes what a key may do. What is not named stays.",
            description: "One's own with `keys.own`, those of others with `keys.manage`.",
            access: .member(.ownKeys), parameters: [keyID],
            body: .object(
                [
                    .optional("name", .displayName, "What it is for."),
                    .optional("scopes", scopes, "What it may do."),
                    .optional(
                        "allowed_models", models, isNullable: true,
                        "The models that it may use; null for all."),
                    limits,
                    .optional("expires_at", .timestamp, isNullable: true, "When it ends; null for never."),
                ],
                example: #"{"name":"Staging","allowed_models":["sandbox/echo"]}"#),
            answers: [AnswerDescription(200, "The key as it is now.", .apiKey)]
        ) { gateway, call in try await gateway.changeKey(call) },
        Endpoint(
            .post, "/api/auth/api-keys/{key_id}/rotate", "rotateKey", group: "API keys",
            "Makes a key that takes another's place.",
            description: "The other goes on for the overlap, so that clients can be changed over.",
            access: .member(.ownKeys), parameters: [keyID],
            body: .object(
                [
                    .optional(
                        "overlap_seconds", .integer(0...2_592_000), default: "86400",
                        "For so long the old key goes on.")
                ],
                example: #"{"overlap_seconds":3600}"#, isRequired: false),
            answers: [AnswerDescription(201, "The new key. It is shown now and never again.", .newAPIKey)]
        ) { gateway, call in try await gateway.rotateKey(call) },
        Endpoint(
            .delete, "/api/auth/api-keys/{key_id}", "revokeKey", group: "API keys",
            "Revokes a key: it is refused from the next request on, everywhere.",
            access: .member(.ownKeys), parameters: [keyID],
            answers: [AnswerDescription(204, "It is good for nothing.")]
        ) { gateway, call in try await gateway.revokeKey(call) },
    ]
}
