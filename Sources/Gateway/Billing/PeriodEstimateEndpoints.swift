import HTTPWire
import Identity

/// What the present period allows, and what it will have cost.
enum PeriodEstimateEndpoints {
    private static let estimate = Schema.object([
        Field("from", .timestamp, "When the period began: the subscription's, or else the month."),
        Field("to", .timestamp, "When it ends."),
        Field("plan", .planName, isNullable: true, "The plan that is paid for; null: none."),
        Field("plan_price", .billedAmount, "What the plan costs in this period."),
        Field("usage", .billedAmount, "What requests were charged so far."),
        Field(
            "usage_forecast", .billedAmount,
            "What they will have been at the end, were it to go on like this."),
        Field("total", .billedAmount, "The plan and what was used so far."),
        Field("total_forecast", .billedAmount, "The plan and what will have been used."),
    ]).named("PeriodEstimate")

    private static let limits = Schema.object(
        [
            Field(
                "models_per_request", .integer(1...Int.max), isNullable: true,
                "How many models one request may name; null: any number."),
            Field(
                "features", .array(of: .string(1...64), 0...100), "Names of what else belongs to the plan."),
        ] + LimitEndpoints.effectiveFields
    ).named("PlanLimits")

    static let all = [
        Endpoint(
            .get, "/api/v1/billing/limits", "showPlanLimits", group: "Billing",
            "Shows what the caller's plan and rules allow, and how much of it is used.",
            description: "As `GET /api/v1/limits`, with what else belongs to the plan.",
            access: .member(.readModels),
            answers: [AnswerDescription(200, "What is allowed and used.", limits)]
        ) { gateway, call in try await gateway.showPlanLimits(call) },
        Endpoint(
            .get, "/api/v1/billing/estimate", "estimatePeriod", group: "Billing",
            "Estimates what the present period will have cost.",
            description:
                "The forecast goes on with what was used until now: twice that after half of the period. Taxes and what is "
                + "kept from earlier invoices are not in it.",
            access: .member(.readBilling), answers: [AnswerDescription(200, "The estimate.", estimate)]
        ) { gateway, call in try await gateway.estimatePeriod(call) },
    ]
}
