package import Base

/// A server that speaks OpenAI's dialect: where it is, and with which key.
package struct OpenAIUpstream: Sendable {
    package static let prefix = "openai/"

    package let chatURL: String
    package let modelsURL: String
    private let key: Secret

    package init(baseURL: String, key: Secret) {
        let base = baseURL.hasSuffix("/") ? String(baseURL.dropLast()) : baseURL
        chatURL = "\(base)/chat/completions"
        modelsURL = "\(base)/models"
        self.key = key
    }

    /// What every request to it carries.
    package var fields: [(name: String, value: String)] {
        [("Authorization", "Bearer \(key.reveal())"), ("Content-Type", "application/json")]
    }

    /// The upstream's own name of a model of ours.
    package static func model(of id: String) -> String? {
        guard id.hasPrefix(prefix), id.utf8.count > prefix.utf8.count else { return nil }
        return String(id.dropFirst(prefix.count))
    }

    /// What a client learns of an answer of `status` that is not a success. Faults of the request are the
    /// client's to mend and pass as they are (`nil`); faults of our account or of the upstream are not.
    package static func problem(status: Int, retryAfter: String?) -> Problem? {
        let seconds = retryAfter.flatMap(Int.init)
        switch status {
        case 400, 404, 409, 413, 415, 422, 429:
            return nil
        case 401, 402, 403:
            return Problem(
                .badGateway, code: "provider_account",
                "The provider refuses the gateway's account. Ask whoever operates this gateway.",
                detail: "upstream status \(status)")
        case 503, 529:
            return Problem(
                .unavailable, code: "provider_unavailable", "The provider is overloaded. Try again later.",
                retryAfterSeconds: seconds, detail: "upstream status \(status)")
        default:
            return Problem(
                .badGateway, code: "provider_error", "The provider failed to answer. Try again.",
                detail: "upstream status \(status)")
        }
    }
}
