import HTTPWire
import Identity

/// What organizations may choose from, and what operators make of it.
enum PlanEndpoints {
    private static let plan = PathParameter("plan", .text(.planName), "The plan.", example: "pro")
    private static let base = "/api/v1/admin/plans"

    static let all = [
        Endpoint(
            .get, "/api/v1/billing/tiers", "listTiers", group: "Billing",
            "Lists the plans that organizations may choose from.", access: .open,
            answers: [AnswerDescription(200, "The plans, from the least to the most.", .list(of: .plan))]
        ) { gateway, _ in try await gateway.listPlans(withArchived: false) },
        Endpoint(
            .get, base, "listPlans", group: "Operator", "Lists all plans, archived ones too.",
            access: .operatorOnly, answers: [AnswerDescription(200, "The plans.", .list(of: .plan))]
        ) { gateway, _ in try await gateway.listPlans(withArchived: true) },
        Endpoint(
            .put, "\(base)/{plan}", "setPlan", group: "Operator", "Adds a plan or changes one.",
            description:
                "From then on no start of the program changes it. Whoever has it keeps the price at which they chose it; "
                + "its limits hold for all within seconds. An archived plan is offered again.",
            access: .operatorOnly, parameters: [plan],
            body: .object(
                Schema.planFields,
                example: #"""
                    {"title":"Pro","price_cents":2999,"interval":"month","models_per_request":5,
                    "limits":{"organization":{"requests_per_minute":100}},"features":["sso"],
                    "commission":{"basis_points":3000,"mode":"markup"}}
                    """#),
            answers: [AnswerDescription(200, "As it is now.", .plan)], bodyLimit: 256 * 1024
        ) { gateway, call in try await gateway.setPlan(call) },
        Endpoint(
            .delete, "\(base)/{plan}", "deletePlan", group: "Operator",
            "Deletes a plan that nobody has or had.", access: .operatorOnly, parameters: [plan],
            answers: [
                AnswerDescription(204, "It is gone."),
                AnswerDescription(409, "It is or was somebody's: archive it."),
            ]
        ) { gateway, call in try await gateway.deletePlan(call) },
        Endpoint(
            .post, "\(base)/{plan}/archive", "archivePlan", group: "Operator",
            "Offers a plan no more; whoever has it keeps it.", access: .operatorOnly, parameters: [plan],
            answers: [AnswerDescription(200, "As it is now.", .plan)], takesIdempotencyKey: true
        ) { gateway, call in try await gateway.archivePlan(call) },
    ]
}
