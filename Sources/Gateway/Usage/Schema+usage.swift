import JSON

/// What was used, described once.
extension Schema {
    private static let count = Schema.integer(0...Int.max)

    static let usageMoney = Schema.object([
        Field(
            "nano", .string(TextRule(1...20, pattern: TextPattern("[0-9]+"))), "In billionths of a dollar."),
        Field(
            "usd", .string(TextRule(1...32, pattern: TextPattern(#"[0-9]+(\.[0-9]+)?"#))),
            "The same in dollars, not rounded."),
    ]).named("UsageMoney")

    private static let quantile = Schema.number(0...1e15)
    private static let quantiles = Schema.object([
        Field("p50", quantile, isNullable: true, "Half of them took no longer."),
        Field("p95", quantile, isNullable: true, "Nor did 95 of 100."),
        Field("p99", quantile, isNullable: true, "Nor did 99 of 100."),
    ]).named("Quantiles")

    static let usageFields = [
        Field("requests", count, "Calls."),
        Field("errors", count, "Of these, failed."),
        Field(
            "tokens",
            .object([
                Field("input", count, "Read by models."),
                Field("cached_input", count, "Of these, from a provider's own cache."),
                Field("output", count, "Written by models."),
            ]).named("UsedTokens"), "Tokens."),
        Field("cost", usageMoney, "What providers ask."),
        Field("charge", usageMoney, "What the organization pays."),
        Field("saved", usageMoney, "What kept answers would have cost."),
        Field(
            "cache_hit_rate", .number(0...1), isNullable: true,
            "Of calls that looked for a kept answer; null where none did."),
        Field("latency_ms", quantiles, "Until the end of an answer; null where none was measured."),
        Field("first_token_ms", quantiles, "Until its first byte; null where none was measured."),
    ]
    static let usageTotals = Schema.object(usageFields).named("UsageTotals")
}
