import Chat
import JSON

/// Reads what Bedrock says instead of an answer, and in the middle of one.
enum BedrockFault {
    static func read(status: Int, body: [UInt8]) -> UpstreamFault {
        let document = try? JSONDocument(parsing: body)
        let name = document?["__type"]?.string.map(shortName)
        let message = message(document?.root) ?? "The provider answered with status \(status)."
        return UpstreamFault(
            kind(name, message: message, status: status), status: status, message, code: name)
    }

    /// From a frame that is no event.
    static func read(_ frame: EventStreamFrame, usage: ChatUsage?) -> UpstreamFault {
        let name = frame.headers[":exception-type"] ?? frame.headers[":error-code"]
        let document = try? JSONDocument(parsing: frame.payload)
        let message =
            message(document?.root) ?? frame.headers[":error-message"] ?? "The provider gives no reason."
        return UpstreamFault(kind(name, message: message, status: nil), message, code: name, usage: usage)
    }

    private static func message(_ body: JSONValue?) -> String? {
        body?["message"]?.string ?? body?["Message"]?.string
    }

    /// `com.amazon.coral.validate#ValidationException:http://…` is just `ValidationException`.
    private static func shortName(_ type: String) -> String {
        let name = type.split(separator: "#").last ?? ""
        return String(name.split(separator: ":").first ?? "")
    }

    /// Names begin in streams with a small letter, elsewhere with a great one.
    private static func kind(_ name: String?, message: String, status: Int?) -> UpstreamFault.Kind {
        switch name?.lowercased() {
        case "validationexception": kind(ofInvalid: message)
        case "throttlingexception", "servicequotaexceededexception", "toomanyrequestsexception": .rateLimited
        case "accessdeniedexception": .forbidden
        case "resourcenotfoundexception": .notFound
        case "modeltimeoutexception": .timedOut
        case "serviceunavailableexception", "modelnotreadyexception": .overloaded
        case "internalserverexception", "modelerrorexception", "modelstreamerrorexception": .failed
        case "unrecognizedclientexception", "invalidsignatureexception", "expiredtokenexception",
            "incompletesignatureexception", "missingauthenticationtokenexception":
            .unauthenticated
        default: kind(ofStatus: status, message: message)
        }
    }

    private static func kind(ofStatus status: Int?, message: String) -> UpstreamFault.Kind {
        switch status {
        case nil: .failed
        case 400: kind(ofInvalid: message)
        // The model has failed, not the request, whatever the class of the status.
        case 424: .failed
        case let status?: UpstreamFault.kind(ofStatus: status)
        }
    }

    /// Bedrock has one name for all that may be wrong with a request; only the words tell.
    private static func kind(ofInvalid message: String) -> UpstreamFault.Kind {
        let words = message.lowercased()
        if words.contains("too long") || words.contains("too many input tokens") { return .contextTooLong }
        if words.contains("model identifier is invalid") { return .notFound }
        return .invalidRequest
    }
}
