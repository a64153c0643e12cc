import Analytics
import HTTPWire
import Identity

/// Calls as they come into the books.
enum LiveCallEndpoints {
    static let all = [
        Endpoint(
            .get, "/api/v1/events", "watchCalls", group: "Usage",
            "Tells of each of the organization's calls as it comes into the books.",
            description:
                "Server-sent events. `call`: a call as `GET /api/v1/requests` has it. `dropped`: calls were left out, because they "
                + "came faster than they were read; `count` says how many, null: nobody knows. `end`: why the stream ends: "
                + "`credential` where whoever reads may not any more, `stopping` where the server does, `time` after an hour. "
                + "After that, or an interruption, send the last `id` as `Last-Event-ID`: what came since then is told first, the last few seconds before it "
                + "again, and at most 1,000 calls.",
            access: .member(.readOrganization),
            query: CallFilter.parameters,
            answers: [
                AnswerDescription(200, "The calls.", mediaType: "text/event-stream"),
                AnswerDescription(429, "As many watch the organization's calls as may."),
            ]
        ) { gateway, call in try await gateway.watchCalls(call) }
    ]
}
