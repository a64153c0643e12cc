import HTTPWire
import JSON

/// What single organizations pay for models.
enum OverrideEndpoints {
    private static let path = "/api/v1/admin/organizations/{organization_id}/price-overrides"
    private static let modelID = PathParameter(
        "model_id", .text(.line(1...400)), "The model's id, slashes and all.", example: "sandbox/echo")

    private static let override = Schema.object(
        [
            Field("id", .uuid, "Its name."), Field("organization_id", .uuid, "Whose it is."),
            Field("model", .string(1...300), "The model's id."),
        ] + Schema.priceAmounts + [
            Field("effective_from", .timestamp, "From when on."),
            Field(
                "effective_to", .timestamp, isNullable: true, "Until before when; null: until further notice."
            ),
        ]
    ).named("PriceOverride")

    static let all = [
        Endpoint(
            .get, path, "listPriceOverrides", group: "Prices",
            "Lists what an organization pays for models instead of their list price.",
            description: "For the next page, give the last `id` as `after`.", access: .operatorOnly,
            parameters: [OperatorEndpoints.organizationID],
            query: [
                QueryParameter("include_ended", .boolean, default: "false", "Also what has ended."),
                QueryParameter("after", .uuid, "Only those behind this one."),
                QueryParameter("limit", .integer(1...1000), default: "100", "How many at most."),
            ],
            answers: [AnswerDescription(200, "Its own prices.", .list(of: override))]
        ) { gateway, call in try await gateway.listOverrides(call) },
        Endpoint(
            .put, "\(path)/{model_id*}", "setPriceOverride", group: "Prices",
            "Says what an organization pays for a model.",
            description:
                "It holds from the next request on, or from `effective_from`, and what holds then ends there. Where a "
                + "price for long requests lies over the list's, it is best named together with the usual one: all "
                + "other kinds of tokens become dearer as these two say.",
            access: .operatorOnly, parameters: [OperatorEndpoints.organizationID, modelID],
            body: .object(
                Schema.newPrice(silence: "is as the list price has it") + [
                    .optional(
                        "effective_to", .timestamp, "Until before when. Left out: until further notice.")
                ],
                example: #"{"per_million_tokens":{"input":2.5,"output":10}}"#),
            answers: [
                AnswerDescription(200, "As it is now.", override),
                AnswerDescription(
                    409, "One begins before this would have ended, or there are a thousand already."),
            ]
        ) { gateway, call in try await gateway.setOverride(call) },
        Endpoint(
            .delete, "\(path)/{model_id*}", "endPriceOverride", group: "Prices",
            "Has an organization pay a model's list price from now on.",
            description: "Those that were announced for later are taken back; what was stays as it was.",
            access: .operatorOnly, parameters: [OperatorEndpoints.organizationID, modelID],
            answers: [AnswerDescription(204, "It does.")]
        ) { gateway, call in try await gateway.endOverride(call) },
    ]
}
