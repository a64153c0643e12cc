import Chat
import JSON

/// Reads what Anthropic says instead of an answer, and in the middle of one.
enum AnthropicFault {
    static func read(status: Int, body: [UInt8]) -> UpstreamFault {
        guard let document = try? JSONDocument(parsing: body), let error = document["error"] else {
            return UpstreamFault(
                UpstreamFault.kind(ofStatus: status), status: status,
                "The provider answered with status \(status).")
        }
        return read(error, status: status)
    }

    /// From the object `error`.
    static func read(_ error: JSONValue, status: Int? = nil, usage: ChatUsage? = nil) -> UpstreamFault {
        let type = error["type"]?.string
        let message = error["message"]?.string ?? "The provider gives no reason."
        return UpstreamFault(
            kind(type: type, message: message, status: status), status: status, message, code: type,
            field: field(of: message), usage: usage)
    }

    private static func kind(type: String?, message: String, status: Int?) -> UpstreamFault.Kind {
        switch type {
        case "invalid_request_error": kind(ofInvalid: message)
        case "authentication_error": .unauthenticated
        case "billing_error": .unpaid
        case "permission_error": .forbidden
        case "not_found_error": .notFound
        case "request_too_large": .tooLarge
        case "rate_limit_error": .rateLimited
        case "timeout_error": .timedOut
        case "overloaded_error": .overloaded
        // `api_error` is what it says for all else, and so the status may know more.
        default: status.map(UpstreamFault.kind(ofStatus:)) ?? .failed
        }
    }

    /// Anthropic has one type for all that may be wrong with a request; only the words tell.
    private static func kind(ofInvalid message: String) -> UpstreamFault.Kind {
        let words = message.lowercased()
        if words.contains("prompt is too long") || words.contains("exceed context limit") {
            return .contextTooLong
        }
        if words.contains("credit balance is too low") { return .unpaid }
        if words.contains("content filtering policy") { return .contentRefused }
        return .invalidRequest
    }

    /// Messages begin with a path where they are about a field: `messages.0.content: …`.
    private static func field(of message: String) -> String? {
        guard let colon = message.utf8.firstIndex(of: 0x3A) else { return nil }
        let path = message[..<colon]
        let isPath = path.utf8.allSatisfy {
            switch $0 {
            case 0x61...0x7A, 0x30...0x39, 0x5F, 0x2E: true
            default: false
            }
        }
        return isPath && !path.isEmpty ? String(path) : nil
    }
}
