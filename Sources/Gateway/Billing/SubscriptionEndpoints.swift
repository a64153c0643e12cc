import HTTPWire
import Identity

/// What an organization pays for.
enum SubscriptionEndpoints {
    private static let id = PathParameter("subscription_id", .object(.subscription), "The subscription.")
    private static let base = "/api/v1/billing/subscriptions"
    private static let plan = Field("plan", .planName, "The name of the plan.")
    private static let shown = [AnswerDescription(200, "As it is now.", .subscription), conflict]
    private static let conflict = AnswerDescription(
        409, "It cannot be changed like this as it stands, or somebody else has changed it at the same time.")

    private static let quote = Schema.object([
        Field("quote_id", .uuid, "To accept it: send it to `upgrade`."),
        Field("plan", .planName, "To which plan."),
        Field("lines", .array(of: .invoiceLine, 0...100), "What for."),
        Field(
            "amount", .billedAmount,
            "What the upgrade costs now; below nothing: kept for the invoices to come."),
        Field("expires_at", .timestamp, "Up to when it is good, if nothing else changes."),
    ]).named("SubscriptionQuote")

    static let all =
        [
            Endpoint(
                .post, base, "subscribe", group: "Billing",
                "Begins a subscription of the caller's organization.",
                description:
                    "The first invoice is due in 14 days; with `prepaid` the plan begins when it is paid. Who is new tries "
                    + "first what the plan lets them try. Where payments are by card, the card is charged at once; without one "
                    + "the first invoice is paid with `POST /api/v1/billing/payment`.",
                access: .member(.manageBilling),
                body: .object(
                    [
                        plan,
                        Field(
                            "prepaid", .boolean, isRequired: false, default: "false",
                            "Whether the plan begins when the first invoice is paid."),
                    ], example: #"{"plan":"starter"}"#),
                answers: [AnswerDescription(201, "It has begun.", .subscription), conflict],
                takesIdempotencyKey: true
            ) { gateway, call in try await gateway.subscribe(call) },
            Endpoint(
                .get, "\(base)/{subscription_id}", "showSubscription", group: "Billing",
                "Shows a subscription.",
                access: .member(.readBilling), parameters: [id],
                answers: [AnswerDescription(200, "The subscription.", .subscription)]
            ) { gateway, call in try await gateway.showSubscription(call) },
            Endpoint(
                .get, "\(base)/user/{user_id}", "showSubscriptionOfUser",
                group: "Billing",
                "Shows the subscription under which a member of the organization works.",
                access: .member(.readBilling),
                parameters: [PathParameter("user_id", .object(.member), "The member.")],
                answers: [AnswerDescription(200, "The present one, or else the last.", .subscription)]
            ) { gateway, call in try await gateway.showSubscriptionOfUser(call) },
            Endpoint(
                .patch, "\(base)/{subscription_id}", "changeSubscription", group: "Billing",
                "Ends a subscription with its period, or goes on; takes back a change of the plan.",
                description: "Exactly one of the fields.",
                access: .member(.manageBilling), parameters: [id],
                body: .object(
                    [
                        .optional("cancel_at_period_end", .boolean, "Whether it ends with its period."),
                        .optional("paused", .boolean, "Whether it rests."),
                        .optional(
                            "keep_plan", .choice(["current"]),
                            "`current`: the plan that was to come with the next period does not come."),
                    ], example: #"{"cancel_at_period_end":true}"#), answers: shown
            ) { gateway, call in try await gateway.changeSubscription(call) },
        ] + changes

    private static let changes = [
        Endpoint(
            .post, "\(base)/{subscription_id}/cancel", "cancelSubscription", group: "Billing",
            "Ends a subscription with its period, or now.", access: .member(.manageBilling), parameters: [id],
            body: .object(
                [
                    Field(
                        "at_period_end", .boolean, isRequired: false, default: "true",
                        "`false`: now; nothing of what was paid is given back.")
                ], example: #"{"at_period_end":true}"#, isRequired: false), answers: shown,
            takesIdempotencyKey: true
        ) { gateway, call in try await gateway.cancelSubscription(call) },
        Endpoint(
            .post, "\(base)/{subscription_id}/upgrade", "upgradeSubscription", group: "Billing",
            "Changes to a dearer plan now.",
            description:
                "Either `plan`, at what it costs now, or `quote_id`, at what was quoted. The rest of the period is given "
                + "back by the second.", access: .member(.manageBilling), parameters: [id],
            body: .object(
                [
                    .optional("plan", .planName, "The name of the plan."),
                    .optional("quote_id", .uuid, "What `preview` has answered."),
                ], example: #"{"plan":"pro"}"#), answers: shown, takesIdempotencyKey: true
        ) { gateway, call in try await gateway.upgradeSubscription(call) },
        Endpoint(
            .post, "\(base)/{subscription_id}/downgrade", "downgradeSubscription", group: "Billing",
            "Changes to a plan that costs no more, when the period ends.", access: .member(.manageBilling),
            parameters: [id], body: .object([plan], example: #"{"plan":"free"}"#), answers: shown,
            takesIdempotencyKey: true
        ) { gateway, call in try await gateway.downgradeSubscription(call) },
        Endpoint(
            .post, "\(base)/{subscription_id}/resume", "resumeSubscription", group: "Billing",
            "Goes on with a subscription that rests, or that was to end with its period.",
            access: .member(.manageBilling), parameters: [id], answers: shown, takesIdempotencyKey: true
        ) { gateway, call in try await gateway.resumeSubscription(call) },
        Endpoint(
            .post, "\(base)/{subscription_id}/renew", "renewSubscription", group: "Billing",
            "Begins the plan of a subscription that has ended again.", access: .member(.manageBilling),
            parameters: [id],
            answers: [AnswerDescription(201, "The new subscription.", .subscription), conflict],
            takesIdempotencyKey: true
        ) { gateway, call in try await gateway.renewSubscription(call) },
        Endpoint(
            .post, "\(base)/{subscription_id}/preview", "previewSubscription", group: "Billing",
            "Says what an upgrade costs, good for a quarter of an hour.", access: .member(.manageBilling),
            parameters: [id], body: .object([plan], example: #"{"plan":"pro"}"#),
            answers: [AnswerDescription(200, "The quote.", quote), conflict], takesIdempotencyKey: true
        ) { gateway, call in try await gateway.previewSubscription(call) },
    ]
}
