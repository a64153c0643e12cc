import Billing
import HTTPServer
import HTTPWire
import Identity
import JSON

/// What organizations pay with, and payments by Stripe.
enum PaymentEndpoints {
    private static let base = "/api/v1/billing"
    private static let method = PathParameter(
        "method_id", .text(.stripeName), "The card, as Stripe calls it.", example: "pm_1PQ2rs3Tu4vW5xY6")
    private static let byHand = AnswerDescription(
        404, "`payments_by_hand`: this gateway keeps no cards; or there is no such thing.")
    private static let declined = AnswerDescription(402, "`payment_declined`: the bank says no.")
    private static let methods = Schema.list(of: .paymentMethod)

    private static let autoTopUp = [
        Field("threshold", .sentAmount, "Below it the wallet is filled."),
        Field("amount", .sentAmount, "What is charged each time, in whole cents."),
        Field("monthly_maximum", .sentAmount, "No more in a month of UTC's, in whole cents."),
    ]

    static let all =
        [
            Endpoint(
                .get, "\(base)/methods", "listPaymentMethods", group: "Billing",
                "Lists the organization's cards.", access: .member(.readBilling),
                answers: [AnswerDescription(200, "The cards.", methods), byHand]
            ) { gateway, call in try await gateway.listPaymentMethods(call) },
            Endpoint(
                .post, "\(base)/methods", "addPaymentMethod", group: "Billing",
                "Begins to add a card; the browser gives it to Stripe.",
                description:
                    "The browser confirms the setup intent with Stripe's own script and the client secret. No card data comes "
                    + "by here. The first card is the one that is charged.",
                access: .member(.manageBilling),
                answers: [
                    AnswerDescription(
                        201, "The setup intent.",
                        .object([
                            Field("id", .stripeName, "The intent, as Stripe calls it."),
                            Field("client_secret", .string(0...500), "With it the browser confirms it."),
                        ]).named("SetupIntent")), byHand,
                ], takesIdempotencyKey: true
            ) { gateway, call in try await gateway.addPaymentMethod(call) },
            Endpoint(
                .delete, "\(base)/methods/{method_id}", "removePaymentMethod", group: "Billing",
                "Forgets a card.",
                access: .member(.manageBilling), parameters: [method],
                answers: [AnswerDescription(204, "It is gone."), byHand]
            ) { gateway, call in try await gateway.removePaymentMethod(call) },
            Endpoint(
                .post, "\(base)/methods/{method_id}/default", "chooseDefaultPaymentMethod", group: "Billing",
                "Charges this card from now on.", access: .member(.manageBilling), parameters: [method],
                answers: [AnswerDescription(200, "The cards.", methods), byHand], takesIdempotencyKey: true
            ) { gateway, call in try await gateway.choosePaymentMethod(call) },
        ] + payments + ofOperators + automatic + [webhook]

    private static let payments = [
        Endpoint(
            .post, "\(base)/payment", "pay", group: "Billing", "Pays an invoice, or fills the wallet.",
            description:
                "Either `invoice_id`, for what is left of it, or `amount`, for the wallet. With `method_id` the card is charged "
                + "now; else the browser confirms the payment with the client secret. The wallet has more, and the invoice is "
                + "paid, when Stripe says so. An invoice of a subscription by card is charged to the card that it is paid with.",
            access: .member(.manageBilling),
            body: .object(
                [
                    .optional("invoice_id", .uuid, "The invoice."),
                    .optional("amount", .sentAmount, "For the wallet, in whole cents."),
                    .optional("method_id", .stripeName, "The card to charge."),
                ], example: #"{"amount":{"usd":"25.00"}}"#),
            answers: [
                AnswerDescription(
                    201, "It has begun.",
                    .object(
                        Schema.paymentFields + [
                            Field(
                                "client_secret", .string(0...500), isNullable: true,
                                "With it the browser confirms the payment; null: it has nothing to do.")
                        ]
                    ).named("BegunPayment")), declined, byHand,
                AnswerDescription(409, "The invoice is not open."),
            ], takesIdempotencyKey: true
        ) { gateway, call in try await gateway.pay(call) },
        Endpoint(
            .get, "\(base)/payments", "listPayments", group: "Billing",
            "Lists payments by Stripe, the latest first.", access: .member(.readBilling),
            query: [listLimit], answers: [listed, byHand]
        ) { gateway, call in try await gateway.listPayments(of: call.principal.organization, call) },
    ]

    private static let listLimit = QueryParameter(
        "limit", .integer(1...100), default: "20", "How many at most.")
    private static let listed = AnswerDescription(
        200, "The payments.", .list(of: .object(Schema.paymentFields).named("Payment")))

    private static let ofOperators = [
        Endpoint(
            .get, "/api/v1/admin/organizations/{organization_id}/payments", "listPaymentsOfOrganization",
            group: "Operator", "Lists an organization's payments by Stripe, the latest first.",
            access: .operatorOnly, parameters: [OperatorEndpoints.organizationID], query: [listLimit],
            answers: [listed, byHand]
        ) { gateway, call in try await gateway.listPayments(of: call.id("organization_id"), call) },
        Endpoint(
            .post, "/api/v1/admin/payments/{payment_id}/refund", "refundPayment", group: "Operator",
            "Gives back a payment by Stripe, or a part of it.",
            description:
                "It goes back to the card. What filled a wallet is taken out of it, and what of that was spent is owed. "
                + "An invoice that was paid stays so. Without `amount` all that is left of the payment goes back.",
            access: .operatorOnly,
            parameters: [
                PathParameter("payment_id", .object(.anyPayment), "Any organization's payment.")
            ],
            body: .object(
                [.optional("amount", .sentAmount, "In whole cents.")], example: #"{"amount":{"usd":"10.00"}}"#
            ),
            answers: [
                AnswerDescription(204, "It goes back."), byHand,
                AnswerDescription(409, "It did not succeed, or went back already."),
            ], takesIdempotencyKey: true
        ) { gateway, call in try await gateway.refundPayment(call) },
    ]

    private static let automatic = [
        Endpoint(
            .get, "\(base)/auto-topup", "showAutoTopUp", group: "Billing",
            "Says how the wallet is filled by itself.", access: .member(.readBilling),
            answers: [AnswerDescription(200, "As it is.", .autoTopUp), byHand]
        ) { gateway, call in try await gateway.showAutoTopUp(call) },
        Endpoint(
            .put, "\(base)/auto-topup", "setAutoTopUp", group: "Billing",
            "Has the wallet filled by itself.",
            description:
                "The card is charged when the wallet has less than `threshold`. When it is declined the owners are told, and it "
                + "is tried again later and later.", access: .member(.manageBilling),
            body: .object(
                autoTopUp,
                example:
                    #"{"threshold":{"usd":"5.00"},"amount":{"usd":"25.00"},"monthly_maximum":{"usd":"100.00"}}"#
            ),
            answers: [AnswerDescription(200, "As it is now.", .autoTopUp), byHand]
        ) { gateway, call in try await gateway.setAutoTopUp(call) },
        Endpoint(
            .delete, "\(base)/auto-topup", "endAutoTopUp", group: "Billing",
            "Has the wallet filled by itself no more.", access: .member(.manageBilling),
            answers: [AnswerDescription(204, "It is so."), byHand]
        ) { gateway, call in try await gateway.endAutoTopUp(call) },
    ]

    private static let webhook = Endpoint(
        .post, "\(base)/webhooks/stripe", "takeStripeWebhook", group: "Billing",
        "Takes what Stripe tells.",
        description:
            "Signed by Stripe with `STRIPE_WEBHOOK_SECRET`. It is a hint: what the object has become is asked of Stripe.",
        access: .open,
        body: BodyDescription(.openObject([]), example: #"{"id":"evt_1","object":"event"}"#),
        answers: [
            AnswerDescription(200, "It is written down."),
            AnswerDescription(400, "It is not Stripe's, or cannot be read."), byHand,
        ], bodyLimit: StripeBilling.largestWebhook,
        direct: { gateway in
            { exchange in try await gateway(exchange.loop).takeStripeWebhook(exchange) }
        })
}

extension Schema {
    /// As Stripe calls things: `pm_1PQ2rs3Tu4vW5xY6`.
    static let stripeName = Schema.string(
        TextRule(1...255, pattern: TextPattern("[A-Za-z0-9_]{1,255}"), noun: "a name of Stripe's"))

    static let paymentMethod = Schema.object([
        Field("id", stripeName, "As Stripe calls it."),
        Field("brand", .string(0...50), "`visa`, …"),
        Field("last_four", .string(0...4), "The last digits."),
        Field("expiry_month", .integer(0...12), "Up to when it is good."),
        Field("expiry_year", .integer(0...9999), "Up to when it is good."),
        Field("default", .boolean, "Whether it is what is charged."),
    ]).named("PaymentMethod")

    static let paymentFields = [
        Field("id", .uuid, "The payment."),
        Field("kind", .choice(of: StripePayment.Kind.self), "What for."),
        Field("invoice_id", .uuid, isNullable: true, "Which invoice it pays; null: the wallet has it."),
        Field("amount", .billedAmount, "How much."),
        Field(
            "status", .choice(of: StripePayment.Status.self),
            "How it stands, in Stripe's words; `requested`: Stripe has not answered; `failed`: it is not tried again."
        ),
        Field("failure", .string(0...200), isNullable: true, "Why it was declined last."),
        Field("created_at", .timestamp, "When it was begun."),
        Field("ended_at", .timestamp, isNullable: true, "When it came to an end."),
    ]

    static let autoTopUp = Schema.object([
        Field("threshold", .billedAmount, "Below it the wallet is filled."),
        Field("amount", .billedAmount, "What is charged each time."),
        Field("monthly_maximum", .billedAmount, "No more in a month of UTC's."),
        Field("failures", .integer(0...Int.max), "How often the card was declined, one after the other."),
        Field("next_attempt_at", .timestamp, isNullable: true, "Before then it is not charged again."),
    ]).named("AutoTopUp")
}
