import Analytics
import HTTPWire
import Identity

/// What was asked, call by call.
enum CallEndpoints {
    private static let count = Schema.integer(0...Int.max)
    private static let name = Schema.string(0...1000)

    private static let attempt = Schema.object([
        Field("provider", name, "Who was asked."),
        Field("model", name, "For which model."),
        Field("own_key", .boolean, "Whether with the organization's own key."),
        Field("started_at", .timestamp, "When."),
        Field("latency_ms", .number(0...1e15), "Until the end of the answer."),
        Field("first_token_ms", .number(0...1e15), isNullable: true, "Until its first byte."),
        Field("outcome", .choice(of: CallFilter.Outcome.self), "How it ended."),
        Field("fault", name, isNullable: true, "What went wrong."),
        Field(
            "tokens",
            .object([
                Field("input", count, "Read."),
                Field("cached_input", count, "Of these, from the provider's cache."),
                Field("output", count, "Written."),
            ]).named("AttemptTokens"), "Tokens."),
        Field("images", count, "Images that were made."),
        Field(
            "cost", .usageMoney, isNullable: true,
            "What the provider asks; null where its price is not known."),
        Field("commission", .usageMoney, "What comes on top."),
        Field("charge", .usageMoney, "What the organization pays."),
    ]).named("CallAttempt")

    private static let call = Schema.object([
        Field("id", .uuid, "Its name in the books; newer ones are greater."),
        Field("request_id", name, "As `X-Request-Id` said it."),
        Field("at", .timestamp, "When it ended."),
        Field("endpoint", name, "What was called."),
        Field("model", name, "As the client named it."),
        Field("user_id", .uuid, "Whose key it was."),
        Field("key_id", .uuid, "Which key."),
        Field("outcome", .choice(of: CallFilter.Outcome.self), "How it ended."),
        Field("cache", name, isNullable: true, "What the cache did: `HIT`, `MISS`; null: nothing."),
        Field("calls", count, "How many it stands for: kept answers of the same moment share one."),
        Field(
            "tags", .map(of: .string(0...10_000)), isNullable: true, "What the client said that it is about."),
        Field("charge", .usageMoney, "What the organization pays."),
        Field("saved", .usageMoney, "What a kept answer would have cost."),
        Field("attempts", .array(of: attempt, 0...1000), "The requests to providers, in their order."),
    ]).named("Call")

    private static let example = #"""
        {"data":[{"id":"019f3a52-7c1e-7b04-9d52-3f0e6a1b2c4d","request_id":"req_1","at":"2026-11-21T09:30:00.000Z",
        "endpoint":"createChatCompletion","model":"gpt-5.4","user_id":"019f3a52-7c1e-7b04-9d52-3f0e6a1b2c4e",
        "key_id":"019f3a52-7c1e-7b04-9d52-3f0e6a1b2c4f","outcome":"answered","cache":"MISS","calls":1,
        "tags":{"team":"search"},"charge":{"nano":"54399000","usd":"0.054399"},"saved":{"nano":"0","usd":"0"},
        "attempts":[{"provider":"openai","model":"openai/gpt-5.4","own_key":false,"started_at":"2026-11-21T09:29:58.000Z",
        "latency_ms":2000,"first_token_ms":310.5,"outcome":"answered","fault":null,
        "tokens":{"input":12307,"cached_input":0,"output":550},"images":0,"cost":{"nano":"54399000","usd":"0.054399"},
        "commission":{"nano":"0","usd":"0"},"charge":{"nano":"54399000","usd":"0.054399"}}]}],
        "next_cursor":"019f3a52-7c1e-7b04-9d52-3f0e6a1b2c4d"}
        """#

    static let all = [
        Endpoint(
            .get, "/api/v1/requests", "listCalls", group: "Usage",
            "Lists the organization's calls, each with its requests to providers; the newest first.",
            description:
                "For the next page send the same query with `next_cursor` as `cursor`. `format=csv`, or `Accept: text/csv`, gives "
                + "all that is asked for as a table, with a line for each request to a provider; `limit` does not hold there.",
            access: .member(.readOrganization),
            query: CallFilter.parameters + [
                QueryParameter("from", .timestamp, "Only what ended then or later."),
                QueryParameter("to", .timestamp, "Only what ended before."),
                QueryParameter("cursor", .uuid, "Only what comes behind it."),
                QueryParameter(
                    "limit", .integer(1...AnalyticsStore.largestPage), default: "100", "How many at most."),
                QueryParameter(
                    "format", .choice(["json", "csv"]), "How they are written. Left out: as `Accept` says."),
            ],
            answers: [
                AnswerDescription(
                    200, "The calls.",
                    .object([
                        Field("data", .array(of: call, 0...AnalyticsStore.largestPage), "What was found."),
                        Field(
                            "next_cursor", .uuid, isNullable: true,
                            "Where the next page begins; null: nowhere."),
                    ]).named("CallPage"), example: example),
                AnswerDescription(200, "The calls, as a table.", mediaType: "text/csv"),
            ]
        ) { gateway, call in try await gateway.listCalls(call) }
    ]
}
