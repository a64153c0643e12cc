import Catalog
import HTTPWire
import Identity
import JSON

/// Which models there are, what they cost, and how their providers fare.
enum CatalogEndpoints {
    static let all = [search, model, health]

    private static let group = "Models"

    private static let search = Endpoint(
        .get, "/api/v1/models", "searchModels", group: group, "Searches the catalogue of models.",
        description:
            "All that is asked for must hold. `facets` count what was found on all pages. For the next page send the "
            + "same query with `next_cursor` as `cursor`. The answer has an `ETag`: with `If-None-Match` it is sent "
            + "only where it is another.",
        access: .member(.readModels), query: filters + paging,
        answers: [
            AnswerDescription(200, "The models.", .modelPage),
            AnswerDescription(304, "It is as `If-None-Match` says."),
        ]
    ) { gateway, call in try await gateway.searchModels(call) }

    private static let filters = [
        QueryParameter(
            "q", .line(1...200), example: "echo",
            "Words: each begins a word of the model's names. The best match comes first."),
        QueryParameter(
            "provider", .string(.list(of: "[a-z0-9_-]{1,64}", noun: "names of providers")),
            "Only at these providers, by commas."),
        QueryParameter(
            "capability", .string(.list(of: CatalogModel.Capability.self)),
            "Only what can do all of this, by commas."),
        QueryParameter(
            "modality", .string(.list(of: CatalogModel.Modality.self)),
            "Only what takes or gives all of this, by commas."),
        QueryParameter("mode", .choice(of: CatalogModel.Mode.self), "Only for this."),
        QueryParameter(
            "min_context", .integer(1...1_000_000_000), "Only what takes at least so many tokens."),
        QueryParameter(
            "max_input_price", .number(0...1_000_000),
            "Only what costs no more for a million tokens of input, in dollars. What has no known price costs more."
        ),
        QueryParameter(
            "max_output_price", .number(0...1_000_000), "The same for a million tokens of output."),
        QueryParameter(
            "free", .boolean,
            "Only what costs nothing, or only what does. What has no known price is not free."),
        QueryParameter(
            "include_deprecated", .boolean, default: "false", "Also what is not to be used any more."),
    ]

    private static let paging = [
        QueryParameter(
            "sort", .choice(of: CatalogQuery.Sort.self), default: #""relevance""#,
            "In which order: the best match, the cheapest, the largest context, the first title or the newest first."
        ),
        QueryParameter(
            "limit", .integer(1...CatalogSnapshot.largestPage), default: "100", "How many at most."),
        QueryParameter(
            "cursor", .string(1...CatalogCursor.longestText), "The `next_cursor` of the page before."),
    ]

    private static let model = Endpoint(
        .get, "/api/v1/models/{model_id*}", "showModel", group: group,
        "Shows what is known of a model, and what it cost when.", access: .member(.readModels),
        parameters: [
            PathParameter(
                "model_id", .text(.line(1...400)),
                "Its id, slashes and all, or any name that only one model goes by.", example: "sandbox/echo")
        ],
        answers: [AnswerDescription(200, "The model.", .modelWithHistory)]
    ) { gateway, call in try await gateway.showModel(call) }

    private static let health = Endpoint(
        .get, "/api/v1/providers/health", "showProviderHealth", group: group,
        "Shows how the providers fare that are set up here, as this process sees them.",
        access: .member(.readModels),
        answers: [AnswerDescription(200, "The providers.", .list(of: .providerHealth))]
    ) { gateway, call in try await gateway.showProviderHealth(call) }
}

extension TextRule {
    /// Some of an enumeration, by commas.
    fileprivate static func list<Choice: CaseIterable & RawRepresentable<String>>(
        of type: Choice.Type
    ) -> TextRule {
        let names = type.allCases.map(\.rawValue)
        return list(of: "(\(names.joined(separator: "|")))", noun: "some of \(names.joined(separator: ", "))")
    }

    fileprivate static func list(of element: String, noun: String) -> TextRule {
        TextRule(1...500, pattern: TextPattern("\(element)(,\(element))*"), noun: "\(noun), by commas")
    }
}
