import Catalog
import JSON

/// What the catalogue's routes answer with, described once.
extension Schema {
    static let modelPage = Schema.object([
        Field("data", .array(of: catalogModel, 0...CatalogSnapshot.largestPage), "The models of this page."),
        Field(
            "facets",
            .object([
                Field("providers", facets, "At which providers."), Field("modes", facets, "For what."),
                Field("modalities", facets, "What they take or give."),
                Field("capabilities", facets, "What they can do."),
            ]).named("ModelFacets"), "How many of all that were found have what; the most frequent first."),
        Field(
            "next_cursor", .string(1...CatalogCursor.longestText), isNullable: true,
            "What gets the next page; null on the last."),
        Field("total", .integer(0...Int.max), "How many were found on all pages."),
    ])

    private static let facets = Schema.array(
        of: .object([
            Field("value", .string(1...200), "Which."), Field("count", .integer(1...Int.max), "How many."),
        ]).named("ModelFacet"), 0...10_000)

    private static let catalogModel = Schema.object(modelFields).named("CatalogModel")
    static let modelWithHistory = Schema.object(
        modelFields + [
            Field(
                "price_history", .array(of: modelPrice, 0...10_000),
                "What it cost, costs and will cost; the oldest first.")
        ]
    ).named("CatalogModelWithHistory")

    private static let day = Schema.string(
        TextRule(10...10, pattern: TextPattern("[0-9]{4}-[0-9]{2}-[0-9]{2}"), format: "date", noun: "a day"))
    private static let names = Schema.array(of: .string(1...200), 0...1000)
    private static let modalities = Schema.array(of: .choice(of: CatalogModel.Modality.self))

    private static let modelFields = [
        Field("id", .string(1...300), "As requests name it."),
        Field("object", .choice(["model"]), "Always `model`."),
        Field("provider", .string(1...64), "Who serves it."),
        Field("upstream_name", .string(1...200), "What the provider calls it."),
        Field("slug", .string(1...200), "Its name wherever it is served."),
        Field("family", .string(1...100), "Models that follow one another."),
        Field("title", .string(1...200), "For people."),
        Field("mode", .choice(of: CatalogModel.Mode.self), "What it is for."),
        Field("aliases", names, "Other names of it."),
        Field("is_available", .boolean, "Whether its provider is set up here."),
        Field("context_tokens", .integer(1...Int.max), isNullable: true, "The most that it takes in."),
        Field("max_output_tokens", .integer(1...Int.max), isNullable: true, "The most that it gives back."),
        Field("input_modalities", modalities, "What it takes."),
        Field("output_modalities", modalities, "What it gives."),
        Field("capabilities", .array(of: .choice(of: CatalogModel.Capability.self)), "What it can do."),
        Field("regions", names, "Where it is served; empty where that is not known."),
        Field(
            "may_be_retained", .boolean, isNullable: true, "Whether the provider may keep what is said to it."
        ),
        Field("released_on", day, isNullable: true, "When it came out."),
        Field("deprecated_on", day, isNullable: true, "Since when it is not to be used any more."),
        Field("shutdown_on", day, isNullable: true, "From when on nobody answers."),
        Field("replacement", .string(1...300), isNullable: true, "The id of the model that takes its place."),
        Field("source", .string(1...100), "Where this is known from."),
        Field("verified_on", day, "When it was last compared with that."),
        Field("price", modelPrice, isNullable: true, "What it costs now; null where that is not known."),
    ]

    private static let dollars = Schema.number(0...1e13)

    private static func price(_ name: String, _ description: String) -> Field {
        .optional(name, dollars, description)
    }

    static let modelPrice = Schema.object(
        priceAmounts + [
            Field("effective_from", .timestamp, "From when on."),
            Field(
                "effective_to", .timestamp, isNullable: true, "Until before when; null: until further notice."
            ),
            Field("source", .string(1...100), "Where this is known from."),
        ]
    ).named("ModelPrice")

    /// What is asked, whenever it is.
    static let priceAmounts = [
        Field("currency", .choice(["USD"]), "Always dollars."),
        Field(
            "per_million_tokens",
            .object([
                Field(
                    "input", dollars, isNullable: true, "Read; null where that is not known, which is not 0."),
                Field("output", dollars, isNullable: true, "Answered; null where that is not known."),
                price("cache_read", "Read from the provider's cache."),
                price("cache_write", "Written to it for minutes."),
                price("cache_write_long", "Written to it for an hour."),
                price("reasoning", "Thought, where that differs from `output`."),
                price("audio_input", "Heard."), price("audio_output", "Spoken."),
                price("image_output", "Drawn."),
            ]), "What is not there is not known, or is as `input` or `output`."),
        Field(
            "per_unit",
            .object([
                price("image", "An image."), price("request", "A call."),
                price("search", "A search of the web."),
                price("second", "A second of sound."), price("character", "A character spoken."),
            ]), "What one of them costs beside the tokens."),
        Field(
            "long_context",
            .object([
                Field("above_tokens", .integer(1...Int.max), "With more input than this,"),
                Field("input", dollars, isNullable: true, "a million tokens of input cost this,"),
                Field("output", dollars, isNullable: true, "and of output this; null: as usual."),
            ]), isNullable: true, "What a long request costs in all its tokens; null: as usual."),
    ]

    static let providerHealth = Schema.object([
        Field("provider", .string(1...200), "The prefix of its models."),
        Field("title", .string(1...200), "For people."),
        Field(
            "state", .choice(["closed", "open", "probing"]),
            "`closed`: requests go there. `open`: it fails and is left alone. `probing`: one request tries it."
        ),
        Field(
            "retry_in_seconds", .number(0...1e9), isNullable: true,
            "When it is tried again, where it is open."),
        Field("keys", .integer(0...Int.max), "Keys that it is asked with."),
        Field(
            "ready_keys", .integer(0...Int.max), "Of those the ones that are not over their limit or refused."
        ),
        Field("under_way", .integer(0...Int.max), "Requests that are there now."),
        Field("limit", .integer(0...Int.max), "How many it bears at once, as far as is known."),
        Field("latency_seconds", .number(0...1e9), isNullable: true, "Recent time to the first token."),
        Field("succeeded", .integer(0...Int.max), "Requests that it has answered since the start."),
        Field("failed", .integer(0...Int.max), "Requests that it has failed since the start."),
    ]).named("ProviderHealth")
}
