import Catalog
import HTTPWire
import JSON

/// Prices that an import has not applied, and what an operator says of them.
enum ProposalEndpoints {
    private static let path = "/api/v1/admin/prices/proposals"
    private static let proposalID = PathParameter(
        "proposal_id", .text(.uuid), "The proposal.", example: "019f3a52-7c1e-7b04-9d52-3f0e6a1b2c4d")

    private static let reason = Schema.object([
        Field(
            "code", .choice(of: PriceImport.Reason.Kind.self),
            "`too_high`: more than 1,000 dollars for a million tokens. `jump`: more than twice as much as what was in "
                + "force, or less than half. `disagreement`: another list says something else."),
        Field("price", .choice(of: PriceColumn.self), "Of what."),
        Field("other_source", .string(1...100), isNullable: true, "Who says something else."),
    ]).named("ProposalReason")

    private static let proposal = Schema.object([
        Field("id", .uuid, "What it is decided by."), Field("model", .string(1...300), "The model's id."),
        Field("source", .string(1...100), "Whose list says so."),
        Field("price", .object(Schema.priceAmounts), "The price as it would be."),
        Field("reasons", .array(of: reason, 1...1000), "Why it was not applied."),
        Field(
            "state", .choice(of: PriceProposal.State.self),
            "`withdrawn`: its list says something else by now."),
        Field("proposed_at", .timestamp, "When."), Field("proposed_by", .string(1...100), "By whose import."),
        Field("decided_at", .timestamp, isNullable: true, "When somebody decided."),
        Field("decided_by", .string(1...100), isNullable: true, "Who did."),
    ]).named("PriceProposal")

    static let all = [
        Endpoint(
            .get, path, "listPriceProposals", group: "Prices",
            "Lists prices that an import has not applied; the oldest first.",
            description: "For the next page, give the last `id` as `after`.", access: .operatorOnly,
            query: [
                QueryParameter(
                    "state", .choice(of: PriceProposal.State.self), "Only those. Left out: all."),
                QueryParameter("after", .uuid, "Only those behind this one."),
                QueryParameter("limit", .integer(1...1000), default: "100", "How many at most."),
            ],
            answers: [AnswerDescription(200, "The proposals.", .list(of: proposal))]
        ) { gateway, call in try await gateway.listProposals(call) },
        decision(
            "approve", "approvePriceProposal", "Has a proposed price hold from now on.",
            "What was is as it was. Other processes follow within half a minute.", isApproved: true),
        decision(
            "reject", "rejectPriceProposal", "Leaves the price of a model as it is.",
            "The same price from the same list is not proposed again.", isApproved: false),
    ]

    private static func decision(
        _ verb: String, _ name: String, _ summary: String, _ description: String, isApproved: Bool
    ) -> Endpoint {
        Endpoint(
            .post, "\(path)/{proposal_id}/\(verb)", name, group: "Prices", summary, description: description,
            access: .operatorOnly, parameters: [proposalID],
            answers: [
                AnswerDescription(200, "As it is now.", proposal),
                AnswerDescription(409, "It was decided already, or the model's price is another by now."),
            ]
        ) { gateway, call in try await gateway.decideProposal(call, isApproved: isApproved) }
    }
}
