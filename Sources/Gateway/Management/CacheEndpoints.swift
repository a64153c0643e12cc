import HTTPWire
import Identity
import JSON

/// What an organization says of answers that are kept for it.
enum CacheEndpoints {
    private static let path = "/api/v1/organizations/{organization_id}/cache"

    private static let fields: [Field] = [
        .optional("enabled", .boolean, "Whether answers are kept at all."),
        .optional("ttl_seconds", .integer(1...2_592_000), "For how long an answer is kept: up to 30 days."),
        .optional(
            "largest_entry_bytes", .integer(1...16_777_216), "What is larger is not kept: up to 16 MiB."),
        .optional(
            "cache_nonzero_temperature", .boolean,
            "Whether answers are kept too that would be others each time."),
        .optional(
            "coalesce", .boolean, "Whether those who ask the same at the same time wait for one answer."),
        .optional(
            "semantic",
            .object([
                .optional("enabled", .boolean, "Whether what is asked in other words counts as the same."),
                .optional("threshold", .number(0.5...1), "How near it must be; 1 is the same."),
                .optional(
                    "model",
                    .string(TextRule(1...200, pattern: TextPattern("[!-~]+"), noun: "a model's id")),
                    "The model of embeddings that tells; left out: the instance's, if it has one."),
                .optional(
                    "turns", .integer(1...50), "A conversation with more turns of the user is not compared."),
            ]).named("SemanticCachePolicy"), "Answers to what means the same."),
    ]
    private static let policy = Schema.object(fields).named("CachePolicy")

    static let all = [
        Endpoint(
            .get, path, "showCachePolicy", group: "Organizations", "Shows which answers are kept.",
            access: .member(.readOrganization), parameters: [OrganizationEndpoints.parameter],
            answers: [AnswerDescription(200, "The policy; empty where there is none.", policy)]
        ) { gateway, call in try await gateway.showCachePolicy(call) },
        Endpoint(
            .put, path, "setCachePolicy", group: "Organizations", "Says which answers are kept.",
            description:
                "It holds from the next request on. What is left out is as usual; `{}` takes the policy away.",
            access: .member(.updateOrganization), parameters: [OrganizationEndpoints.parameter],
            body: .object(
                fields, example: #"{"enabled":true,"ttl_seconds":3600,"semantic":{"enabled":false}}"#),
            answers: [AnswerDescription(200, "As it is now.", policy)]
        ) { gateway, call in try await gateway.setCachePolicy(call) },
    ]
}
