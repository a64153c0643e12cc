import Base
import HTTPWire
import Identity
import JSON

/// Keys for providers: an organization's own, and the operator's for everybody.
enum CredentialEndpoints {
    static let all =
        endpoints(
            "/api/v1/credentials", "", "Credentials", .member(.manageCredentials), of: "the organization's"
        ) {
            $0.principal.organization
        }
        + endpoints(
            "/api/v1/admin/credentials", "Platform", "Operator", .operatorOnly, of: "the instance's"
        ) { _ in nil }

    private static let key = Schema.secret(1...4096)
    private static let provider = Schema.string(
        TextRule(
            1...64, pattern: TextPattern("[a-z0-9][a-z0-9._-]*"), noun: "a provider's name, such as openai"))

    /// The five operations on the credentials of `owner`.
    private static func endpoints(
        _ path: String, _ kind: String, _ group: String, _ access: Access, of whose: String,
        owner: @escaping @Sendable (APICall) -> UUID?
    ) -> [Endpoint] {
        let credentialID = PathParameter(
            "credential_id", .object(access == .operatorOnly ? .platformCredential : .credential),
            "The credential.")
        return [
            Endpoint(
                .get, path, "list\(kind)Credentials", group: group, "Lists \(whose) keys for providers.",
                access: access, answers: [AnswerDescription(200, "All but the keys.", .list(of: .credential))]
            ) { gateway, call in try await gateway.listCredentials(owner(call)) },
            Endpoint(
                .post, path, "create\(kind)Credential", group: group,
                "Stores a key for a provider. It is never shown again.",
                description: "A provider may have several.",
                access: access,
                body: .object(
                    [
                        Field("provider", provider, "Whose key it is."),
                        .optional("name", .displayName, default: #""Default""#, "What it is for."),
                        .optional(
                            "base_url", .url, isNullable: true,
                            "Where its requests go, instead of the provider's own address."),
                        Field("api_key", key, "The key."),
                    ],
                    example:
                        #"{"provider":"openai","name":"Production","api_key":"sk-example-0000000000000000"}"#),
                answers: [
                    AnswerDescription(201, "All but the key.", .credential),
                    AnswerDescription(409, "There are too many."),
                ]
            ) { gateway, call in try await gateway.createCredential(call, owner(call)) },
            Endpoint(
                .get, "\(path)/{credential_id}", "show\(kind)Credential", group: group,
                "Shows all of it but the key.",
                access: access, parameters: [credentialID],
                answers: [AnswerDescription(200, "All but the key.", .credential)]
            ) { gateway, call in try await gateway.showCredential(call, owner(call)) },
            Endpoint(
                .patch, "\(path)/{credential_id}", "change\(kind)Credential", group: group,
                "Changes it. What is not named stays.",
                description:
                    "Another address without a new key takes the key away: it is only sent where it was meant for.",
                access: access, parameters: [credentialID],
                body: .object(
                    [
                        .optional("name", .displayName, "What it is for."),
                        .optional(
                            "base_url", .url, isNullable: true,
                            "Where its requests go; null for the provider's own address."),
                        .optional("api_key", key, "A new key."),
                        .optional("disabled", .boolean, "Whether it is left out."),
                    ],
                    example: #"{"name":"Staging","disabled":false}"#),
                answers: [AnswerDescription(200, "As it is now, but the key.", .credential)]
            ) { gateway, call in try await gateway.changeCredential(call, owner(call)) },
            Endpoint(
                .delete, "\(path)/{credential_id}", "delete\(kind)Credential", group: group, "Deletes it.",
                access: access, parameters: [credentialID], answers: [AnswerDescription(204, "It is gone.")]
            ) { gateway, call in try await gateway.deleteCredential(call, owner(call)) },
        ]
    }
}
