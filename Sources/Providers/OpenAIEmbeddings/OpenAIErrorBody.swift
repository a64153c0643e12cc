import JSON

/// `{"error": {"message", "type", "param", "code"}}`, as servers of OpenAI's dialects write it for what is no chat.
enum OpenAIErrorBody {
    static func fault(status: Int, body: [UInt8]) -> UpstreamFault {
        let document = try? JSONDocument(parsing: body)
        let error = document?["error"].present
        let message =
            error?.string ?? error?["message"]?.string ?? document?["message"]?.string
            ?? document?["detail"]?.string
        // Some write numbers.
        let code = error?["code"]?.string ?? error?["type"]?.string
        return UpstreamFault(
            kind(status, code), status: status,
            message ?? "The provider answered \(status) and did not say why.", code: code,
            field: error?["param"]?.string)
    }

    private static func kind(_ status: Int, _ code: String?) -> UpstreamFault.Kind {
        switch code {
        case "context_length_exceeded": .contextTooLong
        case "content_policy_violation", "moderation_blocked": .contentRefused
        case "insufficient_quota", "billing_hard_limit_reached": .unpaid
        case "model_not_found": .notFound
        default: UpstreamFault.kind(ofStatus: status)
        }
    }
}
