import HTTPWire
import Identity

/// What limits organizations and those in them.
enum LimitEndpoints {
    /// Where an organization's limits are set, by its own people and by operators.
    static let path = "/organizations/{organization_id}/limits"
    private static let ownPath = "/api/v1\(path)"
    private static let anyPath = "/api/v1/admin\(path)"
    /// There may be rules for a thousand users, keys and models each.
    private static let bodyLimit = 256 * 1024

    private static let zone = Field.optional(
        "time_zone", .timeZone,
        "Where its months begin, as IANA calls it: `Europe/Berlin`. Left out: as it is.")

    private static let ofOrganization = [
        Field("organization_id", .uuid, "The organization."),
        Field(
            "plan", .string(1...64), isNullable: true, "Its plan; null: none, and nothing is limited by one."),
        Field("limits", .limitRules, "Its own rules. They narrow what it was given."),
        Field("time_zone", .timeZone, "Where its months begin."),
    ]
    private static let own = Schema.object(ofOrganization).named("OrganizationLimits")
    private static let any = Schema.object(
        ofOrganization + [Field("overrides", .limitOverrides, "What the operator says over the plan.")]
    ).named("AnyOrganizationLimits")

    static let effectiveFields = [
        Field("organization_id", .uuid, "The organization."),
        Field("plan", .string(1...64), isNullable: true, "Its plan."),
        Field("time_zone", .timeZone, "Where its months begin."),
        Field(
            "limits", .array(of: .effectiveLimit, 0...100_000),
            "What holds; what is not in the list is not limited."),
        .optional("degraded", .boolean, "True where it is not known at the moment what is used."),
    ]
    private static let effective = Schema.object(effectiveFields).named("EffectiveLimits")

    private static let effectiveExample = #"""
        {"organization_id":"0199d2b0-7f5e-7c11-9a3e-5b1f6f0c2a41","plan":"pro","time_zone":"Europe/Berlin","limits":[
        {"subject":"organization","name":null,"limit":"requests_per_month","value":1000000,"source":"plan",
        "used":250000,"remaining":750000,"resets_in_seconds":777600},
        {"subject":"model","name":null,"limit":"tokens_per_day","value":2000000,"source":"organization"},
        {"subject":"key","name":null,"limit":"concurrent_requests","value":8,"source":"key","used":2,"remaining":6,
        "resets_in_seconds":null}]}
        """#

    static let all = [
        Endpoint(
            .get, "/api/v1/limits", "showEffectiveLimits", group: "Limits",
            "Shows what limits the caller in the end, who says so, and what is used.",
            description:
                "Of what the plan, the operator, the organization and the key say of the same, the smallest holds; "
                + "but what the operator says takes the place of what the plan says.",
            access: .member(.readModels),
            answers: [AnswerDescription(200, "The limits.", effective, example: effectiveExample)]
        ) { gateway, call in try await gateway.showEffectiveLimits(call) },
        Endpoint(
            .get, ownPath, "showLimits", group: "Limits", "Shows the organization's own rules.",
            access: .member(.readOrganization), parameters: [OrganizationEndpoints.parameter],
            answers: [AnswerDescription(200, "The rules.", own)]
        ) { gateway, call in try await gateway.showLimits(call) },
        Endpoint(
            .put, ownPath, "setLimits", group: "Limits", "Sets the organization's own rules.",
            description:
                "They hold from the next request on, and only narrow what the organization was given. `limits` is "
                + "replaced as a whole; what is left out of the body stays as it is.",
            access: .member(.updateOrganization), parameters: [OrganizationEndpoints.parameter],
            body: .object(
                [.optional("limits", .limitRules, "The rules; `{}` for none. Left out: as they are."), zone],
                example: #"""
                    {"limits":{"user":{"requests_per_minute":60000},"models":{"openai/gpt-5.4":{"tokens_per_day":2000000}}},
                    "time_zone":"Europe/Berlin"}
                    """#),
            answers: [AnswerDescription(200, "As it is now.", own)], bodyLimit: bodyLimit
        ) { gateway, call in try await gateway.setLimits(call) },
        Endpoint(
            .get, anyPath, "showAnyLimits", group: "Operator",
            "Shows the plan of an organization and what lies over it.", access: .operatorOnly,
            parameters: [OperatorEndpoints.organizationID],
            answers: [AnswerDescription(200, "What was said of it.", any)]
        ) { gateway, call in try await gateway.showAnyLimits(call) },
        Endpoint(
            .put, anyPath, "setAnyLimits", group: "Operator",
            "Gives an organization a plan, and says what lies over it.",
            description:
                "It holds from the next request on. `overrides` take the place of what the plan says of the same, and "
                + "are replaced as a whole; what is left out of the body stays as it is.",
            access: .operatorOnly, parameters: [OperatorEndpoints.organizationID],
            body: .object(
                [
                    .optional(
                        "plan", .line(1...64), isNullable: true,
                        "Its plan; null for none. Left out: as it is."),
                    .optional(
                        "overrides", .limitOverrides,
                        "What lies over the plan; `{}` for nothing. Left out: as it is."),
                    zone,
                ],
                example: #"{"plan":"pro","overrides":{"organization":{"requests_per_month":null}}}"#),
            answers: [AnswerDescription(200, "As it is now.", any)], bodyLimit: bodyLimit
        ) { gateway, call in try await gateway.setAnyLimits(call) },
    ]
}
