import Analytics
import HTTPWire
import Identity

/// Where the money went, for dashboards.
enum AnalyticsEndpoints {
    private static let overview = Schema.object([
        Field(
            "from", .timestamp, "From when: as asked, taken back to a quarter hour, or to an hour with tags."),
        Field("to", .timestamp, "Until before when: as asked, taken on likewise."),
        Field("time_zone", .timeZone, "Whose days these are."),
        Field("interval", .choice(of: OverviewQuery.Interval.self), "How long a point lasts."),
        Field("totals", .usageTotals, "Of all of it."),
        Field(
            "before", .usageTotals, isNullable: true,
            "Of the time of the same length before; null unless asked for."),
        Field(
            "series",
            .array(
                of: .object([Field("at", .timestamp, "When it begins.")] + Schema.usageFields).named(
                    "UsagePoint"),
                0...10_000), "In their order; where nothing was used there is no point."),
        Field(
            "groups",
            .array(
                of: .object(
                    [Field("name", .string(0...1000), "What they have in common.")] + Schema.usageFields
                )
                .named("UsageGroup"), 0...OverviewQuery.mostGroups),
            "Those that were charged most first; none unless asked for."),
        Field("has_more_groups", .boolean, "Whether there are more groups than these."),
    ]).named("UsageOverview")

    private static let measures = #"""
        "requests":1200,"errors":3,"tokens":{"input":480000,"cached_input":120000,"output":96000},"cost":{"nano":"54399000",
        "usd":"0.054399"},"charge":{"nano":"70718700","usd":"0.0707187"},"saved":{"nano":"0","usd":"0"},"cache_hit_rate":0.125,
        "latency_ms":{"p50":812.4,"p95":2210.9,"p99":4031.7},"first_token_ms":{"p50":190.1,"p95":420.3,"p99":800.2}
        """#
    private static let example = """
        {"from":"2026-11-01T00:00:00.000Z","to":"2026-11-02T00:00:00.000Z","time_zone":"UTC","interval":"day",
        "totals":{\(measures)},"before":null,"series":[{"at":"2026-11-01T00:00:00.000Z",\(measures)}],
        "groups":[{"name":"openai/gpt-5.4",\(measures)}],"has_more_groups":false}
        """

    static let all = [
        Endpoint(
            .get, "/api/dashboard/analytics", "showAnalytics", group: "Usage",
            "Shows what the organization has used, what it cost, and how long it took.",
            description:
                "Amounts are those of the ledger. Percentiles are estimates, of attempts that were answered. Of groups by tag "
                + "only requests, errors, tokens and money are known.",
            access: .member(.readOrganization),
            query: [
                QueryParameter("from", .timestamp, "From when. Left out: 30 days before the end."),
                QueryParameter("to", .timestamp, "Until before when. Left out: until now."),
                QueryParameter("time_zone", .timeZone, default: #""UTC""#, "Whose days: `Europe/Berlin`."),
                QueryParameter(
                    "interval", .choice(of: OverviewQuery.Interval.self), default: #""day""#,
                    "How long a point of the series lasts."),
                QueryParameter(
                    "group_by", .choice(of: OverviewQuery.Grouping.self), "By what to group, too."),
                QueryParameter(
                    "compare", .boolean, default: "false",
                    "Whether to show the time of the same length before, too."),
            ],
            answers: [AnswerDescription(200, "What was used.", overview, example: example)]
        ) { gateway, call in try await gateway.showAnalytics(call) }
    ]
}
