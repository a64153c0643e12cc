import Analytics
import HTTPWire
import Identity
import JSON

/// What was used by calendar month of the organization's time zone.
enum UsageMonthEndpoints {
    private static let month = Schema.object(
        [
            Field("month", .string(TextRule(7...7, pattern: TextPattern("[0-9]{4}-[0-9]{2}"))), "The month."),
            Field("from", .timestamp, "When it begins."),
            Field("to", .timestamp, "When the next begins."),
            Field("time_zone", .timeZone, "Whose month it is."),
        ] + Schema.usageFields
    ).named("UsageMonth")

    static let all = [
        Endpoint(
            .get, "/api/v1/billing/usage/current-period", "showCurrentUsage", group: "Usage",
            "Shows what the organization has used in this month.", access: .member(.readOrganization),
            answers: [AnswerDescription(200, "What was used so far.", month)]
        ) { gateway, call in try await gateway.showUsage(call, by: nil) },
        Endpoint(
            .get, "/api/v1/billing/usage/history", "listUsageMonths", group: "Usage",
            "Lists what the organization has used month by month, this one first.",
            access: .member(.readOrganization),
            query: [
                QueryParameter(
                    "months", .integer(1...AnalyticsStore.mostMonths), default: "12", "How many.")
            ],
            answers: [
                AnswerDescription(
                    200, "The months.",
                    .object([
                        Field("data", .array(of: month, 1...AnalyticsStore.mostMonths), "What was used.")
                    ]))
            ]
        ) { gateway, call in try await gateway.listUsageMonths(call) },
        Endpoint(
            .get, "/api/v1/billing/usage/{user_id}", "showUserUsage", group: "Usage",
            "Shows what a user has used in this month.", access: .member(.readOrganization),
            parameters: [
                PathParameter(
                    "user_id", .object(.member),
                    "One who is of the organization, or was and has used something.")
            ],
            answers: [AnswerDescription(200, "What was used so far.", month)]
        ) { gateway, call in try await gateway.showUsage(call, by: call.id("user_id")) },
    ]
}
