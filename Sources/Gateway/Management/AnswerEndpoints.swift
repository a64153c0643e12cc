import Cache
import HTTPWire
import Identity
import JSON

/// What the kept answers of an organization were good for, and how they are deleted.
enum AnswerEndpoints {
    private static let path = "/api/v1/cache"
    private static let group = "Cache"
    private static let count = Schema.integer(0...Int.max)

    private static let counts = [
        Field("hits", count, "Answered with what was kept."),
        Field("misses", count, "Looked for, and asked of a provider."),
        Field("coalesced", count, "Answered with what was being said to another who asked the same."),
        Field("semantic", count, "Answered with what was said to one who asked the same in other words."),
        Field("stored", count, "Answers that were kept."),
        Field("corrupted", count, "Found, and no answer."),
        Field(
            "hit_rate", .number(0...1), isNullable: true,
            "How many of those that looked were answered without a provider; null where none looked."),
        Field("tokens_saved", count, "Tokens that no provider read or wrote."),
        Field("saved", money, "About what that would have cost, as far as prices are known."),
    ]
    private static let money = Schema.object([
        Field(
            "nano", .string(TextRule(1...20, pattern: TextPattern("[0-9]+"))), "In billionths of a dollar."),
        Field(
            "usd", .string(TextRule(1...32, pattern: TextPattern(#"[0-9]+(\.[0-9]+)?"#))),
            "The same in dollars, not rounded."),
    ]).named("SavedMoney")

    private static let day = Schema.string(
        TextRule(10...10, pattern: TextPattern("[0-9]{4}-[0-9]{2}-[0-9]{2}"), format: "date"))

    private static let statistics = Schema.object([
        Field(
            "days",
            .array(
                of: .object([Field("day", day, "A day of UTC.")] + counts).named("CacheDay"),
                1...CacheStore.largestDayCount),
            "The latest first, today included."),
        Field("total", .object(counts).named("CacheCounts"), "All of these days together."),
    ]).named("CacheStatistics")

    /// Of all texts of 43 characters those that `CacheKey.text` can be.
    private static let key = Schema.string(
        TextRule(
            43...43, pattern: TextPattern("[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]"),
            noun: "the X-Cache-Key of an answer"))

    static let all = [
        Endpoint(
            .get, "\(path)/stats", "showCacheStatistics", group: group,
            "Shows what kept answers were good for, day by day.",
            description: "Each process adds what it has counted every few seconds.",
            access: .member(.readOrganization),
            query: [
                QueryParameter(
                    "days", .integer(1...CacheStore.largestDayCount), default: "7",
                    "How many days, today included.")
            ],
            answers: [AnswerDescription(200, "What was counted.", statistics, example: example)]
        ) { gateway, call in try await gateway.showCacheStatistics(call) },
        Endpoint(
            .delete, path, "deleteAnswers", group: group, "Deletes the organization's answers.",
            description:
                "All of them, or those of one model, or one. What is being answered meanwhile is not kept either.",
            access: .member(.updateOrganization),
            query: [
                QueryParameter("key", key, "Only this one: the `X-Cache-Key` of an answer."),
                QueryParameter(
                    "model", .line(1...CachePolicy.longestModelName),
                    "Only answers of this model, by its id."),
            ],
            answers: [
                AnswerDescription(
                    200, "How many there were.",
                    .object([Field("deleted", count, "Answers.")]).named("DeletedAnswers"),
                    example: #"{"deleted":12}"#)
            ]
        ) { gateway, call in try await gateway.deleteAnswers(call) },
    ]

    private static let example = """
        {"days":[{"day":"2026-11-21",\(exampleCounts)}],"total":{\(exampleCounts)}}
        """
    private static let exampleCounts = """
        "hits":300,"misses":90,"coalesced":10,"semantic":0,"stored":80,"corrupted":0,"hit_rate":0.775,
        "tokens_saved":182000,"saved":{"nano":"412300000","usd":"0.4123"}
        """
}
