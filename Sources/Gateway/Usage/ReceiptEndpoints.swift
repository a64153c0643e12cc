import Analytics
import HTTPWire
import Identity
import JSON

/// Why a charge is what it is.
enum ReceiptEndpoints {
    private static let count = Schema.integer(0...Int.max)
    private static let name = Schema.string(0...1000)
    private static let picodollars = Schema.string(TextRule(1...40, pattern: TextPattern("[0-9]+")))

    private static let line = Schema.object([
        Field("kind", name, "A kind of tokens, `image` or `request`."),
        Field("count", count, "How many."),
        Field("rate_pico", picodollars, "What one costs, in billionths of a thousandth of a dollar."),
        Field("amount_pico", picodollars, "What they cost together."),
    ]).named("ReceiptLine")

    private static let attempt = Schema.object([
        Field("provider", name, "Who was asked."),
        Field("model", name, "For which model: with `price_from`, the name of the price."),
        Field("own_key", .boolean, "Whether with the organization's own key."),
        Field("estimated", .boolean, "Whether tokens were counted by us, because the provider did not say."),
        Field("price_from", .timestamp, isNullable: true, "Since when the price held."),
        Field(
            "override_id", .uuid, isNullable: true,
            "The organization's own price that lay over it; null: none."),
        Field(
            "lines", .array(of: line, 0...100), isNullable: true,
            "What was used, at that price; null where the price is not there any more, or does not add up to the cost."
        ),
        Field(
            "cost", .usageMoney, isNullable: true,
            "The sum of the lines, rounded half up once; null: not known."),
        Field("commission", .usageMoney, "What comes on top."),
        Field("charge", .usageMoney, "What the organization pays."),
    ]).named("ReceiptAttempt")

    private static let call = Schema.object([
        Field("id", .uuid, "The call."),
        Field("at", .timestamp, "When it ended."),
        Field("attempts", .array(of: attempt, 0...1000), "The requests to providers, in their order."),
        Field("charge", .usageMoney, "What all of them charge."),
        Field(
            "paid_by",
            .array(
                of: .object([
                    Field("limit_id", .uuid, "The limit."),
                    Field(
                        "kind", name, isNullable: true,
                        "`wallet` or `budget`; null where it is not there any more."),
                    Field("subject", name, isNullable: true, "Whose it is."),
                    Field(
                        "amount", .usageMoney, "What it has paid. Each pays all: they limit the same money."),
                ]).named("ReceiptPayment"), 0...1000), "The limits that have paid."),
        Field("batch_id", .uuid, "With what it came into the books."),
        Field(
            "transfers",
            .array(
                of: .object([
                    Field("debit", name, "From this account."), Field("credit", name, "To this one."),
                    Field("amount", .usageMoney, "So much."),
                ]).named("ReceiptTransfer"), 0...1000),
            "The organization's transfers for all calls of the batch together."),
    ]).named("ReceiptCall")

    private static let example = #"""
        {"request_id":"req_1","charge":{"nano":"54399000","usd":"0.054399"},"calls":[{
        "id":"019f3a52-7c1e-7b04-9d52-3f0e6a1b2c4d","at":"2026-11-21T09:30:00.000Z","attempts":[{"provider":"anthropic",
        "model":"anthropic/claude-sonnet-4-5","own_key":false,"estimated":false,"price_from":"2026-08-01T00:00:00.000Z",
        "override_id":null,
        "lines":[{"kind":"input","count":3,"rate_pico":"3000000","amount_pico":"9000000"},
        {"kind":"cache_write","count":12304,"rate_pico":"3750000","amount_pico":"46140000000"},
        {"kind":"output","count":550,"rate_pico":"15000000","amount_pico":"8250000000"}],
        "cost":{"nano":"54399000","usd":"0.054399"},"commission":{"nano":"0","usd":"0"},
        "charge":{"nano":"54399000","usd":"0.054399"}}],"charge":{"nano":"54399000","usd":"0.054399"},"paid_by":[],
        "batch_id":"019f3a52-7c1e-7b04-9d52-3f0e6a1b2c4e","transfers":[{"debit":"receivable","credit":"usage_revenue",
        "amount":{"nano":"54399000","usd":"0.054399"}}]}]}
        """#

    static let all = [
        Endpoint(
            .get, "/api/v1/usage/{request_id}/receipt", "showReceipt", group: "Usage",
            "Explains what a request was charged.",
            description: "A request is in the books a moment after its answer has ended.",
            access: .member(.readOrganization),
            parameters: [
                PathParameter(
                    "request_id", .text(.line(1...200)), "As `X-Request-Id` said it.", example: "req_1")
            ],
            answers: [
                AnswerDescription(
                    200, "The receipt.",
                    .object([
                        Field("request_id", name, "The request."),
                        Field("charge", .usageMoney, "All of it."),
                        Field("calls", .array(of: call, 1...AnalyticsStore.mostReceipts), "Mostly one."),
                    ]).named("Receipt"), example: example)
            ]
        ) { gateway, call in try await gateway.showReceipt(call) }
    ]
}
