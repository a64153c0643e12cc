import JSON

/// Reads what goes wrong at providers of the Responses API.
enum OpenAIResponsesFault {
    /// `{"error": {message, type, param, code}}`, and what others make of it: the error as a text, `detail`, `message`
    /// beside `code`, a code that is a status.
    static func read(status: Int, body: [UInt8]) -> UpstreamFault {
        guard let root = (try? JSONDocument(parsing: body))?.root, root.kind == .object else {
            let text = String(decoding: body.prefix(UpstreamFault.longestMessage), as: UTF8.self)
            return UpstreamFault(
                UpstreamFault.kind(ofStatus: status), status: status,
                text.isEmpty ? "The provider answered \(status)." : text)
        }
        guard let error = root["error"].present else { return read(root, status: status) }
        if error.kind == .object { return read(error, status: status) }
        var fault = read(root, status: status)
        fault.message = error.string ?? fault.message
        return fault
    }

    /// An error's object, wherever it comes.
    static func read(_ error: JSONValue?, status: Int?) -> UpstreamFault {
        let code = error?["code"]?.string
        let type = error?["type"]?.string
        let status = status ?? error?["code"]?.int ?? error?["status"]?.int
        let message = error?["message"]?.string ?? error?["detail"]?.string
        return UpstreamFault(
            kind(ofCode: code) ?? kind(ofType: type) ?? status.map(UpstreamFault.kind(ofStatus:))
                ?? (type == "invalid_request_error" ? .invalidRequest : .failed),
            status: status, message ?? "The provider does not say what went wrong.",
            code: code ?? (type == "error" ? nil : type), field: error?["param"]?.string)
    }

    private static func kind(ofCode code: String?) -> UpstreamFault.Kind? {
        switch code {
        case "context_length_exceeded", "string_above_max_length": .contextTooLong
        case "model_not_found", "DeploymentNotFound": .notFound
        case "rate_limit_exceeded", "rate_limit_error": .rateLimited
        case "insufficient_quota", "billing_hard_limit_reached", "billing_not_active": .unpaid
        case "invalid_api_key": .unauthenticated
        case "server_is_overloaded", "slow_down", "overloaded_error": .overloaded
        case "server_error": .failed
        case "vector_store_timeout", "timeout": .timedOut
        case "invalid_prompt", "content_filter", "content_policy_violation", "image_content_policy_violation",
            "bio_policy", "misalignment_policy_violation":
            .contentRefused
        default: nil
        }
    }

    private static func kind(ofType type: String?) -> UpstreamFault.Kind? {
        switch type {
        case "insufficient_quota": .unpaid
        case "rate_limit_error", "rate_limit_exceeded", "tokens", "requests": .rateLimited
        case "authentication_error": .unauthenticated
        case "overloaded_error": .overloaded
        case "server_error", "api_error": .failed
        // The others say less than the status does.
        default: nil
        }
    }
}
