import JSON

/// What may be asked in our own way: no more and no less than `GenerateFront` reads.
enum GenerateSchemas {
    static let request = Schema.anyOf([ofPrompt, ofMessages]).named("GenerateRequest")

    static let ofPrompt = Schema.object(
        [Field("prompt", .freeText, "What to ask, in one message.")] + common
    ).named("GenerateFromPrompt")

    static let ofMessages = Schema.object(
        [Field("messages", .array(of: message, 1...Int.max), "The conversation, as in OpenAI's chat.")]
            + common
    ).named("GenerateFromMessages")

    private static let common: [Field] = [
        Field("model", .string(TextRule(1...Int.max)), "A model of `GET /v1/models`."),
        .optional("system", .freeText, isNullable: true, "What the model is told before all else."),
        .optional(
            "schema", .openObject([]), isNullable: true,
            "A JSON schema (2020-12) that the answer has to fit."),
        .optional(
            "repair", .boolean, isNullable: true,
            "Whether a model whose answer does not fit is shown what is wrong and asked once more; true unless said. "
                + "In a stream nothing is repaired."),
        .optional(
            "fetch_images", .boolean, isNullable: true,
            "Whether images in `messages` that are URLs are fetched here, for a model whose provider does not: at most "
                + "20, of 10 MB each and 20 MB together."),
        .optional("max_tokens", .integer(1...Int.max), isNullable: true, "The most that is to be answered."),
        .optional("temperature", .number(0...2), isNullable: true, "How freely to choose."),
        .optional("top_p", .number(0...1), isNullable: true, "Of which share of what is likely to choose."),
        .optional(
            "stop", .anyOf([.freeText, .array(of: .freeText, 0...16)]), isNullable: true,
            "Where the answer ends."),
        .optional(
            "seed", .integer(Int.min...Int.max), isNullable: true,
            "The same seed gives the same answer, as far as the model keeps to it."),
        .optional(
            "tools", .array(of: tool, 0...128), isNullable: true,
            "What the model may call, as in OpenAI's chat."
        ),
        .optional(
            "tool_choice", .anyOf([.choice(["auto", "none", "required"]), named]), isNullable: true,
            "Whether it must call one, and which."),
        .optional("reasoning", reasoning, isNullable: true, "How much to think."),
        .optional(
            "models", .array(of: .anyOf([.string(TextRule(1...Int.max)), weighted]), 0...16),
            isNullable: true, "Models to fall back on, in their order or by weight."),
        .optional("provider", provider, isNullable: true, "Who may answer."),
        .optional("stream", .boolean, isNullable: true, "Whether the answer comes as a stream of events."),
        .optional(
            "metadata", .map(of: .freeText, keys: TextRule(0...64), maximumCount: 16), isNullable: true,
            "For the provider's records."),
    ]

    private static let content = Schema.anyOf([.freeText, .array(of: part, 0...Int.max)])

    private static let part = Schema.openObject([
        Field(
            "type", .string(TextRule(1...Int.max)),
            "`text`, `image_url`, … as in OpenAI's chat; `reasoning` for a thought of the assistant."),
        .optional("text", .freeText, isNullable: true, "What is said, or was thought."),
        .optional(
            "seal", .freeText, isNullable: true,
            "The thought as its provider keeps it, opaque: given back unchanged, it lets the model go on from there."
        ),
        .optional("is_summary", .boolean, isNullable: true, "Whether a thought's text is a summary of it."),
        .optional(
            "tool_call_id", .freeText, isNullable: true, "The call of a tool that a thought led to."),
    ])

    private static let message = Schema.anyOf([
        .openObject([
            Field("role", .choice(["system", "developer", "user", "assistant"]), "Who speaks."),
            .optional("content", content, isNullable: true, "A text, or a list of parts."),
            .optional("name", .freeText, isNullable: true, "Who speaks, where several have the same role."),
        ]),
        .openObject([
            Field("role", .choice(["tool"]), "A tool's answer."),
            Field("tool_call_id", .string(TextRule(1...Int.max)), "The call that it answers."),
            .optional("content", content, isNullable: true, "What the tool says."),
            .optional("name", .freeText, isNullable: true, "The tool."),
        ]),
    ])

    private static let tool = Schema.object([
        Field("type", .choice(["function"]), "Always `function`."),
        Field(
            "function",
            .object([
                Field("name", .string(TextRule(1...Int.max)), "How it is called."),
                .optional("description", .freeText, isNullable: true, "What it does."),
                .optional(
                    "parameters", .openObject([]), isNullable: true,
                    "A JSON schema of what it is called with."),
                .optional("strict", .boolean, isNullable: true, "Whether calls must fit the schema."),
            ]), "The function."),
    ])

    private static let named = Schema.object([
        Field("type", .choice(["function"]), "Always `function`."),
        Field(
            "function", .object([Field("name", .string(TextRule(1...Int.max)), "The tool.")]),
            "The function."),
    ])

    private static let reasoning = Schema.object([
        .optional(
            "effort", .choice(["none", "minimal", "low", "medium", "high", "xhigh", "max"]),
            isNullable: true, "How much."),
        .optional("max_tokens", .integer(1...Int.max), isNullable: true, "At most so many tokens."),
        .optional("enabled", .boolean, isNullable: true, "Whether at all."),
        .optional("exclude", .boolean, isNullable: true, "Whether thoughts are left out of the answer."),
    ])

    private static let weighted = Schema.object([
        Field("model", .string(TextRule(1...Int.max)), "The model."),
        Field("weight", .integer(0...1_000_000), "How often it is drawn, against the others' weights."),
    ])

    private static let provider: Schema = {
        let names = Schema.array(of: .freeText, 0...64)
        let price = Schema.number(0...1_000_000)
        return .object([
            .optional("order", names, isNullable: true, "Whom to ask first."),
            .optional("only", names, isNullable: true, "None but these."),
            .optional("ignore", names, isNullable: true, "None of these."),
            .optional("regions", names, isNullable: true, "Where the model is served."),
            .optional(
                "allow_fallbacks", .boolean, isNullable: true, "Whether others than the first may be asked."),
            .optional(
                "sort", .choice(of: RoutePolicy.Sort.self), isNullable: true, "What the best is best in."),
            .optional(
                "data_collection", .choice(["allow", "deny"]), isNullable: true,
                "Whether providers may keep what is said."),
            .optional(
                "max_price",
                .object([
                    .optional("prompt", price, isNullable: true, "For a million tokens read, in dollars."),
                    .optional("completion", price, isNullable: true, "For a million tokens answered."),
                ]), isNullable: true, "The most it may cost."),
        ])
    }()

    // MARK: Answers

    private static let faults = Schema.array(
        of: .object([
            Field("pointer", .freeText, "Where, as a JSON pointer; empty for the whole answer."),
            Field("message", .freeText, "What is wrong there."),
        ]), 0...JSONSchema.largestFaultCount + 1)

    static let answer = Schema.object([
        Field("id", .freeText, "The request."),
        Field("model", .freeText, "The model that answered."),
        Field("provider", .freeText, isNullable: true, "Who serves it."),
        Field("attempts", .integer(0...Int.max), "How often providers were asked."),
        Field("text", .freeText, "What was answered."),
        .optional(
            "output", .free, "The same as JSON, where a schema was given and the model did not call a tool."),
        Field(
            "tool_calls", .array(of: .openObject([]), 0...Int.max),
            "What the model calls, as it goes into an assistant's message of the next request."),
        Field("reasoning", .freeText, isNullable: true, "What it thought, where it shows that."),
        Field(
            "message",
            .openObject([
                Field("role", .choice(["assistant"]), "Always `assistant`."),
                Field(
                    "content", .array(of: part, 0...Int.max),
                    "What was said, thought and drawn, in its order."),
                .optional("tool_calls", .array(of: .openObject([]), 1...Int.max), "What the model calls."),
            ]),
            "The same as it goes into `messages` of the next request, with what providers want back of the thoughts."
        ),
        Field(
            "finish_reason", .choice(["stop", "length", "tool_calls", "content_filter", "paused"]),
            "Why it ended."),
        Field(
            "usage",
            .object([
                Field("input", .integer(0...Int.max), "Read afresh."),
                Field("cache_read", .integer(0...Int.max), "Read from the provider's cache."),
                Field("cache_write", .integer(0...Int.max), "Read and kept there."),
                Field("output", .integer(0...Int.max), "Answered."),
                Field("reasoning", .integer(0...Int.max), "Thought."),
                Field("is_estimated", .boolean, "Whether these are guesses of ours."),
            ]), isNullable: true, "The tokens that it took, in both rounds where there were two."),
    ]).named("GenerateAnswer")

    static let failure = Schema.openObject([
        Field(
            "error",
            .openObject([
                Field("code", .freeText, "`invalid_output`, or what went wrong at the provider."),
                Field("message", .freeText, "For people: what is wrong."),
            ]), "What went wrong."),
        .optional("output_faults", faults, "Where the answer does not fit the schema."),
    ]).named("GenerateFailure")
}
