import JSON

/// Errors of OpenAI's dialects and their relatives.
enum OpenAIFault {
    /// What an answer of `status` says: `{"error": {…}}`, `{"error": "…"}`, `{"message": …}`, `{"detail": …}`, or
    /// nothing that can be read.
    static func read(status: Int, _ body: [UInt8]) -> UpstreamFault {
        let document = try? JSONDocument(parsing: body)
        let root = document?.root
        guard let value = root?["error"] ?? root, value.kind == .object || value.kind == .string else {
            return UpstreamFault(UpstreamFault.kind(ofStatus: status), status: status, "status \(status)")
        }
        return read(value, status: status)
    }

    /// The object (or text) of an error, in an answer or in the middle of a stream.
    static func read(_ error: JSONValue, status: Int?) -> UpstreamFault {
        if let text = error.string {
            return UpstreamFault(kind(status: status, code: nil, type: nil, text), status: status, text)
        }
        let message =
            error["message"]?.string ?? error["detail"]?.string ?? error["detail"]?.element(0)?["msg"]?.string
            ?? "the provider gives no reason"
        let code = error["code"]?.string ?? error["code"]?.number
        let type = error["type"]?.string
        // In a stream an integer code stands for the status that can no longer be sent.
        let told = status ?? code.flatMap { Int($0) }.flatMap { (400..<600).contains($0) ? $0 : nil }
        return UpstreamFault(
            kind(status: told, code: code, type: type, message), status: status, message, code: code ?? type,
            field: error["param"]?.string)
    }

    private static func kind(status: Int?, code: String?, type: String?, _ message: String)
        -> UpstreamFault.Kind
    {
        switch code ?? type {
        case "context_length_exceeded", "string_above_max_length": return .contextTooLong
        case "content_filter", "content_policy_violation", "moderation_blocked": return .contentRefused
        case "insufficient_quota", "billing_hard_limit_reached": return .unpaid
        case "rate_limit_exceeded" where status == nil: return .rateLimited
        case "model_not_found", "model_not_available": return .notFound
        case "invalid_api_key": return .unauthenticated
        default: break
        }
        if let status {
            // Most say this in words alone.
            if status == 400, message.contains("context length") || message.contains("maximum context") {
                return .contextTooLong
            }
            return UpstreamFault.kind(ofStatus: status)
        }
        switch type {
        case "invalid_request_error": return .invalidRequest
        case "rate_limit_error": return .rateLimited
        case "overloaded_error", "service_unavailable": return .overloaded
        default: return .failed
        }
    }
}
