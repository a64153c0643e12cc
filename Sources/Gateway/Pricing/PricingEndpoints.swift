import Catalog
import HTTPWire
import Identity
import JSON

/// What models cost who asks, what a call would cost, and the book in which operators enter prices.
enum PricingEndpoints {
    private static let path = "/api/v1/pricing"
    private static let group = "Prices"

    static let all = [models, estimateOfTokens, estimate, book]

    // MARK: Models

    private static let price = Schema.object([
        Field("model", .string(1...300), "The model's id."),
        Field("provider", .string(1...64), "Who serves it."),
        Field("title", .string(1...200), "For people."),
        Field("price", .modelPrice, isNullable: true, "What it costs; null where that is not known."),
        Field(
            "override_id", .uuid, isNullable: true,
            "The organization's own price that lies over the list's; null: there is none."),
    ]).named("PricedModel")

    private static let models = Endpoint(
        .get, "\(path)/models", "listModelPrices", group: group,
        "Lists all models with what they cost the caller's organization.",
        description:
            "Its own prices lie over those of the list. For the next page send the same query with `next_cursor` as "
            + "`cursor`.",
        access: .member(.readModels),
        query: [
            QueryParameter(
                "q", .line(1...200), example: "echo", "Words: each begins a word of the model's names."),
            QueryParameter(
                "provider",
                .string(TextRule(1...64, pattern: TextPattern("[a-z0-9_-]+"), noun: "a provider's name")),
                "Only at this provider."),
            QueryParameter("at", .timestamp, "What they cost at that moment. Left out: now."),
            QueryParameter(
                "limit", .integer(1...CatalogSnapshot.largestPage), default: "100", "How many at most."),
            QueryParameter(
                "cursor", .string(1...CatalogCursor.longestText), "The `next_cursor` of the page before."),
        ],
        answers: [
            AnswerDescription(
                200, "The models.",
                .object([
                    Field(
                        "data", .array(of: price, 0...CatalogSnapshot.largestPage), "The models of this page."
                    ),
                    Field(
                        "next_cursor", .string(1...CatalogCursor.longestText), isNullable: true,
                        "What gets the next page; null on the last."),
                ]))
        ]
    ) { gateway, call in try await gateway.listModelPrices(call) }

    // MARK: Estimates

    private static let estimateDescription =
        "Of as many tokens as are named the cost is exact where those of the answer are among them, and otherwise lies "
        + "between no answer and the longest. Of messages the least is about what they cost without an answer, and the "
        + "most is what a call of them would hold: no call costs more."

    private static let estimateOfTokens = Endpoint(
        .get, "\(path)/estimate", "estimateTokens", group: group, "Says what so many tokens would cost.",
        description: estimateDescription, access: .member(.readModels),
        query: [
            QueryParameter("model", .line(1...400), isRequired: true, example: "sandbox/echo", "Its name.")
        ]
            + PriceEstimate.counts.map { QueryParameter($0.name, PriceEstimate.count, $0.description) },
        answers: [AnswerDescription(200, "The estimate.", PriceEstimate.schema)]
    ) { gateway, call in try await gateway.estimate(call, call.query, of: nil) }

    private static let estimate = Endpoint(
        .post, "\(path)/estimate", "estimateCall", group: group, "Says what a call would cost.",
        description: estimateDescription, access: .member(.readModels),
        body: .object(
            [
                Field("model", .line(1...400), "Its name."),
                .optional(
                    "messages", .array(of: .any, 1...10_000),
                    "As for `POST /v1/chat/completions`, instead of the counts below."),
                .optional(
                    "max_tokens", .integer(1...PriceEstimate.mostCount), "The longest answer to messages."),
                .optional("n", .integer(1...128), "How many answers to messages."),
            ] + PriceEstimate.counts.map { .optional($0.name, PriceEstimate.count, $0.description) },
            example:
                #"{"model":"sandbox/echo","messages":[{"role":"user","content":"Hello"}],"max_tokens":100}"#),
        answers: [AnswerDescription(200, "The estimate.", PriceEstimate.schema)], bodyLimit: 1024 * 1024
    ) { gateway, call in
        try await gateway.estimate(
            call, call.fields, of: call.fields.isPresent("messages") ? call.fields.canonical : nil)
    }

    // MARK: The book

    private static let book = Endpoint(
        .post, "\(path)/book", "enterPrice", group: group, "Enters the price of a model.",
        description:
            "It holds from now on, or from `effective_from`; the one that holds then ends there, and what was stays as "
            + "it was. No import changes a price of a model that was entered here. Other processes follow within half a "
            + "minute.",
        access: .operatorOnly,
        body: .object(
            [Field("model", .line(1...400), "Its name.")] + Schema.newPrice(silence: "is not known"),
            example: #"{"model":"sandbox/story","per_million_tokens":{"input":0,"output":0}}"#),
        answers: [
            AnswerDescription(
                201, "As it was entered.",
                .object([
                    Field("model", .string(1...300), "The model's id."),
                    Field("price", .modelPrice, "Its price."),
                ])),
            AnswerDescription(409, "Somebody else entered one at the same time, or for the same moment."),
        ]
    ) { gateway, call in try await gateway.enterPrice(call) }
}
