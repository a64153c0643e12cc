import Catalog
import HTTPWire
import JSON
import Providers

/// Providers that whoever manages the instance adds to those that a release knows.
enum ProviderEndpoints {
    static let path = "/api/v1/admin/providers"
    private static let largestModelCount = 1000

    /// A prefix of models' names.
    static let name = Schema.string(
        TextRule(1...64, pattern: TextPattern("[a-z0-9][a-z0-9_-]*"), noun: "small letters, digits, - and _"))

    private static let modelName = Schema.string(
        TextRule(1...200, pattern: TextPattern("[!-~]+"), noun: "a name without spaces"))
    private static let price = Schema.number(0...1_000_000)

    private static let model = Schema.object([
        Field("name", modelName, "What the provider calls it."),
        .optional("title", .displayName, "What people call it."),
        .optional("mode", .choice(of: CatalogModel.Mode.self), default: #""chat""#, "What it is for."),
        .optional("context_tokens", .integer(1...1_000_000_000), "The most that it takes in."),
        .optional("max_output_tokens", .integer(1...1_000_000_000), "The most that it answers."),
        .optional(
            "capabilities", .array(of: .choice(of: CatalogModel.Capability.self), 0...50, isUnique: true),
            "What it can do. Where it is not said, nothing is refused on its behalf."),
        .optional(
            "input_modalities", .array(of: .choice(of: CatalogModel.Modality.self), 1...10, isUnique: true),
            default: #"["text"]"#, "What it takes in."),
        .optional("input_price", price, "In dollars for a million tokens; left out: not known."),
        .optional("output_price", price, "The same for what it answers."),
    ]).named("NewModel")

    static let provider = Schema.object([
        Field("name", .string(1...64), "What its models' names begin with."),
        Field("title", .string(1...200), "What people call it."),
        Field("dialect", .choice(of: ProviderPreset.Dialect.self), "How it is spoken with."),
        Field("base_url", .string(1...2048), "Where its requests go."),
        Field("created_at", .timestamp, "When it was added."),
    ]).named("Provider")

    static let all = [
        Endpoint(
            .get, path, "listProviders", group: "Operator", "Lists the providers that were added here.",
            access: .operatorOnly,
            answers: [AnswerDescription(200, "All but their keys.", .list(of: provider))]
        ) { gateway, call in try await gateway.listProviders() },
        Endpoint(
            .post, path, "addProvider", group: "Operator",
            "Adds a provider: any server that speaks one of the dialects.",
            description:
                "Its models can be asked for as `<name>/<model>` at once, whether they are listed in `models` or not; "
                + "those that are stand in the catalogue too. Further keys: `POST /api/v1/admin/credentials`. Providers "
                + "that are known already, such as openai, need nothing but such a key. Other processes follow within "
                + "seconds.",
            access: .operatorOnly,
            body: .object(
                [
                    Field("name", name, "What its models' names begin with."),
                    .optional("title", .displayName, "What people call it."),
                    Field("dialect", .choice(of: ProviderPreset.Dialect.self), "How it is spoken with."),
                    Field("base_url", .url, "Where its requests go: what the dialect's paths follow."),
                    .optional("api_key", .secret(1...4096), "Left out where none is needed."),
                    .optional(
                        "models", .array(of: .anyOf([modelName, model]), 0...largestModelCount),
                        default: "[]", "Names, or what is known of each."),
                ],
                example: #"""
                    {"name":"house","dialect":"openai","base_url":"http://10.0.0.7:8000/v1","models":["qwen3-32b"]}
                    """#),
            answers: [
                AnswerDescription(201, "All but the key.", provider),
                AnswerDescription(409, "There is one of this name, or there are too many."),
            ]
        ) { gateway, call in try await gateway.addProvider(call) },
        Endpoint(
            .delete, "\(path)/{provider}", "deleteProvider", group: "Operator",
            "Deletes a provider that was added here, with the instance's keys for it and its models.",
            access: .operatorOnly,
            parameters: [PathParameter("provider", .text(name), "Its name.", example: "house")],
            answers: [AnswerDescription(204, "It is gone.")]
        ) { gateway, call in try await gateway.deleteProvider(call) },
    ]
}
