import Base
import Budgets
import HTTPWire
import Identity

/// Budgets: what may be spent in a day, a week, a month or ever.
enum BudgetEndpoints {
    private static let base = "/api/v1/budgets"
    private static let id = PathParameter("budget_id", .object(.budget), "The budget.")
    private static let archived = AnswerDescription(409, "It is archived.")

    private static let name = Field("name", .line(1...200), "As people read it.")
    private static let subject = Field(
        "subject", .line(1...Budget.longestSubject),
        "Whose requests it is about: `organization`, `user:ID`, `key:ID`, `model:NAME`, `group:NAME` or, of requests whose "
            + "`metadata` says so, `tag:NAME=VALUE`.")
    private static let period = Field(
        "period", .choice(of: BudgetPeriod.self),
        "How long a window is, in the organization's time zone; weeks begin on Monday, and `total` never ends."
    )
    private static let amount = Field("amount", .sentAmount, "What may be spent in a window; 0 blocks.")
    private static let hard = Field(
        "hard", .boolean, isRequired: false, default: "true",
        "Whether requests are refused that it has no money for; `false`: it only counts, and tells.")
    private static let thresholds = Field(
        "thresholds",
        .array(of: .integer(1...Budget.highestThreshold), 0...Budget.mostThresholds, isUnique: true),
        isRequired: false, default: "[50,80,95,100]", "When somebody is told, in percent of the amount.")
    private static let emails = Field(
        "alert_emails", .array(of: .email, 0...Budget.mostEmails, isUnique: true), isRequired: false,
        default: "[]", "Who is told by mail.")
    private static let webhook = Field.optional(
        "webhook_url", .url, isNullable: true, "Where it is told by a signed request; null: nowhere.")

    private static func optional(_ field: Field) -> Field {
        .optional(field.name, field.schema, isNullable: field.isNullable, field.description)
    }

    static let all = [
        Endpoint(
            .get, base, "listBudgets", group: "Budgets", "Lists the organization's budgets.",
            access: .member(.readBilling),
            query: [
                QueryParameter(
                    "archived", .boolean, default: "false",
                    "Those that are archived instead of those that hold.")
            ], answers: [AnswerDescription(200, "The budgets, the oldest first.", .list(of: .budget))]
        ) { gateway, call in try await gateway.listBudgets(call) },
        Endpoint(
            .post, base, "createBudget", group: "Budgets",
            "Makes a budget, which holds from the next request on.",
            description:
                "What was used since its window began counts. Requests hold what they can cost at most of every budget that "
                + "they touch, so that none is overspent, whoever asks at the same time. A webhook is signed: "
                + "`Hivegate-Signature: t=TIME,v1=…` is HMAC-SHA256 of `TIME.BODY` under `webhook_secret`, which is shown "
                + "this once, also where the request is repeated.",
            access: .member(.manageBilling),
            body: .object(
                [name, subject, period, amount, hard, thresholds, emails, webhook],
                example: #"""
                    {"name":"Search, by the month","subject":"tag:team=search","period":"month",
                    "amount":{"usd":"250"},"thresholds":[80,100],"alert_emails":["ann@example.com"]}
                    """#),
            answers: [
                AnswerDescription(201, "The budget.", .madeBudget),
                AnswerDescription(409, "There are too many."),
            ], takesIdempotencyKey: true
        ) { gateway, call in try await gateway.createBudget(call) },
        Endpoint(
            .get, "\(base)/refusals", "listRefusals", group: "Budgets",
            "Shows what budgets would have refused, had they been enforced.",
            description:
                "Where budgets are in shadow, or until they are enforced for the organization, they refuse nobody, and this says "
                + "what they would have.", access: .member(.readBilling),
            query: [
                QueryParameter("from", .timestamp, "From when; 30 days ago."),
                QueryParameter("to", .timestamp, "Up to when; now."),
            ], answers: [AnswerDescription(200, "By limit, the most expensive first.", .refusals)]
        ) { gateway, call in try await gateway.listRefusals(call) },
        Endpoint(
            .get, "\(base)/{budget_id}", "showBudget", group: "Budgets", "Shows a budget.",
            access: .member(.readBilling), parameters: [id],
            answers: [AnswerDescription(200, "The budget.", .budget)]
        ) { gateway, call in try await gateway.showBudget(call) },
        Endpoint(
            .patch, "\(base)/{budget_id}", "changeBudget", group: "Budgets", "Changes a budget.",
            description:
                "It holds from the next request on. An amount may be less than what is spent: then nothing is left. Whose requests "
                + "it is about and its period stay: for others make another. Another webhook has another secret.",
            access: .member(.manageBilling), parameters: [id],
            body: .object(
                [name, subject, period, amount, hard, thresholds, emails, webhook].map(optional),
                example: #"{"amount":{"usd":"500"}}"#),
            answers: [AnswerDescription(200, "As it is now.", .madeBudget), archived]
        ) { gateway, call in try await gateway.changeBudget(call) },
        Endpoint(
            .delete, "\(base)/{budget_id}", "deleteBudget", group: "Budgets",
            "Ends a budget now. It is archived: what it was and has seen stays.",
            access: .member(.manageBilling), parameters: [id],
            answers: [AnswerDescription(204, "It has ended."), archived]
        ) { gateway, call in try await gateway.deleteBudget(call) },
        Endpoint(
            .put, "\(base)/{budget_id}/override", "overrideBudget", group: "Budgets",
            "Lets another amount hold for a while.", access: .member(.manageBilling), parameters: [id],
            body: .object(
                [
                    amount,
                    Field("until", .timestamp, "Up to when; then the budget's own amount holds again."),
                ],
                example: #"{"amount":{"usd":"1000"},"until":"2999-12-31T00:00:00Z"}"#),
            answers: [AnswerDescription(200, "As it is now.", .budget), archived]
        ) { gateway, call in
            try await gateway.overrideBudget(call)
        },
        Endpoint(
            .delete, "\(base)/{budget_id}/override", "endBudgetOverride", group: "Budgets",
            "Lets a budget's own amount hold again.", access: .member(.manageBilling), parameters: [id],
            answers: [AnswerDescription(200, "As it is now.", .budget), archived]
        ) { gateway, call in try await gateway.endBudgetOverride(call) },
        Endpoint(
            .get, "\(base)/{budget_id}/history", "listBudgetWindows", group: "Budgets",
            "Lists a budget's windows.", access: .member(.readBilling), parameters: [id],
            query: [
                QueryParameter(
                    "limit", .integer(1...BudgetStore.mostListed), default: "100", "How many at most.")
            ], answers: [AnswerDescription(200, "The windows, the newest first.", .list(of: .budgetWindow))]
        ) { gateway, call in try await gateway.listBudgetWindows(call) },
        Endpoint(
            .get, "/api/v1/budget/status", "showBudgetStatus", group: "Budgets",
            "Shows what the organization's budgets and its wallet have left.",
            access: .member(.readBilling), answers: [AnswerDescription(200, "All that hold.", .budgetStatus)]
        ) { gateway, call in try await gateway.showBudgetStatus(call) },
        Endpoint(
            .get, "/api/v1/budget/usage", "showBudgetUsage", group: "Budgets",
            "Shows what the organization has spent by day and by window.",
            description:
                "What calls cost and the commission on it, also where its own keys paid the providers.",
            access: .member(.readBilling),
            query: [
                QueryParameter(
                    "days", .integer(1...BudgetStore.mostDays), default: "30", "How many days, up to today.")
            ], answers: [AnswerDescription(200, "What was spent.", .budgetUsage)]
        ) { gateway, call in try await gateway.showBudgetUsage(call) },
        Endpoint(
            .put, "/api/v1/budget/limit", "setBudgetLimit", group: "Budgets",
            "Sets the monthly budget of the organization, and makes it where there is none.",
            access: .member(.manageBilling),
            body: .object([amount], example: #"{"amount":{"usd":"100"}}"#),
            answers: [
                AnswerDescription(200, "As it is now.", .budget),
                AnswerDescription(409, "There are too many."),
            ]
        ) { gateway, call in try await gateway.setBudgetLimit(call) },
    ]
}
