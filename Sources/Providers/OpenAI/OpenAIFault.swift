import JSON

/// Errors of OpenAI's dialects and their relatives.
enum OpenAIFault {
    /// What an answer of `status` says: `{"error": {message, type, param, code}}`, and what others make of it: the error
    /// as a text, `message` or `detail` without it, a `code` beside it, or nothing that can be read.
    static func read(status: Int, _ body: [UInt8]) -> UpstreamFault {
        guard let root = (try? JSONDocument(parsing: body))?.root,
            root.kind == .object || root.kind == .string
        else {
            // Words that are no JSON are those of somebody on the way.
            return UpstreamFault(UpstreamFault.kind(ofStatus: status), status: status, "status \(status)")
        }
        guard let error = root["error"].present else { return read(root, status: status) }
        if error.kind == .object { return read(error, status: status) }
        return read(root, status: status, message: error.string)
    }

    /// The object (or text) of an error, in an answer or in the middle of a stream.
    static func read(_ error: JSONValue, status: Int?, message given: String? = nil) -> UpstreamFault {
        let message =
            given ?? error.string ?? error["message"]?.string ?? error["detail"]?.string
            ?? error["detail"]?.element(0)?["msg"]?.string ?? "the provider gives no reason"
        let code = error["code"]?.string
        let type = error["type"]?.string
        return UpstreamFault(
            kind(code, type, status: status ?? toldStatus(error), message), status: status, message,
            // An event's type says no more than that it is an error.
            code: code ?? (type == "error" ? nil : type), field: error["param"]?.string)
    }

    /// In a stream a number stands for the status that can no longer be sent.
    private static func toldStatus(_ error: JSONValue) -> Int? {
        let code = error["code"]
        let told = code?.int ?? code?.string.flatMap { Int($0) } ?? error["status"]?.int
        return told.flatMap { (400..<600).contains($0) ? $0 : nil }
    }

    private static func kind(_ code: String?, _ type: String?, status: Int?, _ message: String)
        -> UpstreamFault.Kind
    {
        let names = [code, type].compactMap { $0 }
        if let kind = names.lazy.compactMap(kindBeyondStatus).first { return kind }
        guard let status else { return names.lazy.compactMap(kindWithoutStatus).first ?? .failed }
        // Most say this in words alone.
        if status == 400, message.contains("context length") || message.contains("maximum context") {
            return .contextTooLong
        }
        return UpstreamFault.kind(ofStatus: status)
    }

    /// Names that say more than a status does.
    private static func kindBeyondStatus(_ name: String) -> UpstreamFault.Kind? {
        switch name {
        case "context_length_exceeded", "string_above_max_length": .contextTooLong
        case "content_filter", "content_policy_violation", "image_content_policy_violation",
            "moderation_blocked", "invalid_prompt", "bio_policy", "misalignment_policy_violation":
            .contentRefused
        case "insufficient_quota", "billing_hard_limit_reached", "billing_not_active": .unpaid
        case "model_not_found", "model_not_available", "DeploymentNotFound": .notFound
        case "invalid_api_key": .unauthenticated
        case "server_is_overloaded", "slow_down", "overloaded_error": .overloaded
        default: nil
        }
    }

    /// Names that say less, and enough where there is none.
    private static func kindWithoutStatus(_ name: String) -> UpstreamFault.Kind? {
        switch name {
        case "rate_limit_exceeded", "rate_limit_error", "tokens", "requests": .rateLimited
        case "authentication_error": .unauthenticated
        case "service_unavailable": .overloaded
        case "vector_store_timeout", "timeout": .timedOut
        case "invalid_request_error": .invalidRequest
        default: nil
        }
    }
}
