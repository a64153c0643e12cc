import Chat
import JSON

/// Reads what goes wrong at Gemini.
enum GeminiFault {
    /// `{"error": {code, message, status, details}}`, or a list whose first element that is.
    static func read(status: Int, body: [UInt8]) -> UpstreamFault {
        let root = (try? JSONDocument(parsing: body))?.root
        guard let error = (root?.element(0) ?? root)?["error"] else {
            let text = String(decoding: body.prefix(UpstreamFault.longestMessage), as: UTF8.self)
            return UpstreamFault(
                UpstreamFault.kind(ofStatus: status), status: status,
                text.isEmpty ? "The provider answered \(status)." : text)
        }
        return read(error, status: status)
    }

    static func read(_ error: JSONValue, status: Int?) -> UpstreamFault {
        let status = status ?? error["code"]?.int
        let message = error["message"]?.string ?? "The provider does not say what went wrong."
        let name = error["status"]?.string
        let details = error["details"].map { Array($0.elements) } ?? []
        let kind = kind(of: name, message: message, reasons: details.compactMap { $0["reason"]?.string })
        let field = details.lazy.compactMap { $0["fieldViolations"]?.element(0)?["field"]?.string }.first
        return UpstreamFault(
            kind ?? status.map(UpstreamFault.kind(ofStatus:)) ?? .failed, status: status, message, code: name,
            field: field)
    }

    private static func kind(of name: String?, message: String, reasons: [String]) -> UpstreamFault.Kind? {
        switch name {
        case "INVALID_ARGUMENT":
            // A wrong key is an invalid argument, too, and so is a prompt that is too long.
            if reasons.contains("API_KEY_INVALID") { return .unauthenticated }
            let isTooLong = message.contains("token count") && message.contains("exceeds")
            return isTooLong ? .contextTooLong : .invalidRequest
        case "NOT_FOUND": return .notFound
        case "UNAUTHENTICATED": return .unauthenticated
        // A country without the service, an account without money.
        case "PERMISSION_DENIED", "FAILED_PRECONDITION": return .forbidden
        case "RESOURCE_EXHAUSTED": return .rateLimited
        case "UNAVAILABLE": return .overloaded
        case "DEADLINE_EXCEEDED": return .timedOut
        case "INTERNAL", "UNKNOWN": return .failed
        default: return nil
        }
    }

    /// An answer that the provider has given up on.
    static func ended(_ reason: String, message: String?, usage: ChatUsage?) -> UpstreamFault {
        UpstreamFault(
            reason == "MISSING_THOUGHT_SIGNATURE" ? .invalidRequest : .failed,
            message ?? "The provider could not read what its model has answered.", code: reason, usage: usage)
    }
}
