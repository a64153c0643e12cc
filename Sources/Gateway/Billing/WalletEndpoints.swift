import Base
import Billing
import HTTPWire
import Identity

/// What an organization has paid ahead, what of it is in use, and the books.
enum WalletEndpoints {
    private static let base = "/api/v1/billing"
    private static let reference = Field(
        "reference", .line(1...200), "What names it where it comes from: with this it is booked once.")
    private static let sent = [
        Field("organization_id", .uuid, "Whose wallet."), Field("amount", .sentAmount, "How much."),
        reference,
    ]
    private static let example =
        #"{"organization_id":"019f3a52-7c1e-7b04-9d52-3f0e6a1b2c4d","amount":{"usd":"25.00"},"reference":"wire 4711"}"#

    private static let balance = Schema.object([
        Field("organization_id", .uuid, "Whose it is."),
        Field("wallet", .billedAmount, "Paid for, and not spent."),
        Field("promo", .billedAmount, "Given, and not spent."),
        Field(
            "receivable", .billedAmount,
            "Owed, below nothing: use, plans, and what was spent beyond the wallet."),
        Field("granted", .billedAmount, "What gateways were given of it to spend by themselves."),
        Field(
            "held", .billedAmount, isNullable: true,
            "Held for requests under way; null: not known at the moment."),
        Field("available", .billedAmount, "What requests may still spend; the least that it can be."),
    ]).named("Balance")

    private static let entry = Schema.object([
        Field("id", .uuid, "The transfer."),
        Field("at", .timestamp, "When it was booked."),
        Field("from", .string(1...64), "The account that gives."),
        Field("to", .string(1...64), "The account that gets."),
        Field("amount", .billedAmount, "How much."),
        Field("reason", .string(1...64), "What kind of thing it is."),
        Field("reference", .string(1...300), isNullable: true, "What it is for."),
        Field("batch_id", .uuid, isNullable: true, "The usage that it pays for."),
    ]).named("LedgerEntry")

    private static let ledger = Schema.object([
        Field("data", .array(of: entry, 0...1000), "The transfers, the newest first."),
        Field("has_more", .boolean, "Whether there are older ones."),
        Field("next", .string(1...100), isNullable: true, "Send it as `cursor` for those."),
    ])

    private static let holds = Schema.object([
        Field(
            "limits",
            .array(
                of: .object([
                    Field("limit_id", .uuid, "The wallet or budget."),
                    Field("granted", .billedAmount, "What gateways were given of it."),
                    Field(
                        "held", .billedAmount, isNullable: true,
                        "Held for requests under way; null: not known."),
                    Field("left", .billedAmount, isNullable: true, "Given and free; null: not known."),
                ]).named("HeldLimit"), 0...WalletStore.mostGrants), "What is in use of each."),
        Field(
            "grants",
            .array(
                of: .object([
                    Field("id", .uuid, "The grant."),
                    Field("limit_id", .uuid, "Of which wallet or budget."),
                    Field("amount", .billedAmount, "How much."),
                    Field(
                        "quarantined", .boolean,
                        "Whether its gateway is gone, and what it spent is not known yet."),
                    Field("at", .timestamp, "When it was given."),
                ]).named("MoneyGrant"), 0...WalletStore.mostGrants), "What is open, the oldest first."),
    ]).named("Holds")

    static let all =
        [
            Endpoint(
                .get, "\(base)/balance", "showBalance", group: "Billing",
                "Shows what the organization has and owes.",
                access: .member(.readBilling), answers: [AnswerDescription(200, "The balance.", balance)]
            ) { gateway, call in try await gateway.showBalance(call) },
            Endpoint(
                .get, "\(base)/ledger", "listLedger", group: "Billing",
                "Lists what was booked for the organization, the newest first.",
                access: .member(.readBilling),
                query: [
                    QueryParameter("cursor", .line(1...100), "The `next` of the page before."),
                    QueryParameter("limit", .integer(1...1000), default: "100", "How many at most."),
                ], answers: [AnswerDescription(200, "The transfers.", ledger)]
            ) { gateway, call in try await gateway.listLedger(call) },
            Endpoint(
                .get, "\(base)/holds", "listHolds", group: "Billing",
                "Shows what of the organization's money is in use at the moment.",
                access: .member(.readBilling),
                answers: [AnswerDescription(200, "What is in use.", holds)]
            ) { gateway, call in try await gateway.listHolds(call) },
        ] + [
            change(
                "topups", "topUpWallet", "Books money that has come in for an organization's wallet.",
                WalletStore.topUp),
            change(
                "credits", "giveCredit", "Gives an organization credit; it is spent before the wallet.",
                WalletStore.credit),
            change(
                "refunds", "refundWallet",
                "Gives back what an organization has paid and not spent, once nothing that is in use may need it.",
                WalletStore.refund),
        ]

    private static func change(
        _ path: String, _ name: String, _ summary: String,
        _ book: @escaping WalletStore.Booking
    ) -> Endpoint {
        Endpoint(
            .post, "\(base)/\(path)", name, group: "Operator", summary, access: .operatorOnly,
            body: .object(sent, example: example),
            answers: [
                AnswerDescription(201, "The balance now.", balance),
                AnswerDescription(404, "There is no such organization."),
                AnswerDescription(409, "It was booked before, or what is under way may need it."),
            ], takesIdempotencyKey: true
        ) { gateway, call in try await gateway.changeWallet(call, book) }
    }
}
