/// What went wrong, in the words a client may see. Each slice throws its own errors; the edge turns them into
/// problems, and one table (`Kind.status`) turns problems into HTTP.
package struct Problem: Error, Sendable, CustomStringConvertible {
    package var kind: Kind
    /// A stable name for programs: `model_not_found`.
    package var code: String
    /// One or two sentences for people: the reason and the way out.
    package var message: String
    /// The field at fault, as the client spells it.
    package var field: String?
    /// Everything that is wrong with what was sent, where that was checked as a whole.
    package var faults: [Fault] = []
    /// Sent as `Retry-After`.
    package var retryAfterSeconds: Int?
    /// The same more exactly, where that is known; clients that read `Retry-After-Ms` prefer it.
    package var retryAfter: Duration?
    /// Sent as `X-Should-Retry`: what clients would decide by the status alone.
    package var isWorthRetrying: Bool?
    /// Which limit it was, for programs: `organization:requests_per_minute`.
    package var limitSource: String?
    /// For the log only; never sent.
    package var detail: String?

    /// One thing that is wrong with what was sent.
    package struct Fault: Equatable, Sendable {
        /// `limits.requests_per_minute`, `scopes[2]`; empty for the whole.
        package var field: String
        /// As it goes on after the field: "must not be empty".
        package var message: String

        package init(_ field: String, _ message: String) {
            self.field = field
            self.message = message
        }
    }

    package enum Kind: String, CaseIterable, Sendable {
        case invalidRequest, unauthenticated, paymentRequired, forbidden, notFound, methodNotAllowed, timeout
        case conflict, tooLarge, unsupportedMediaType, unprocessable, rateLimited
        case `internal`, badGateway, unavailable, gatewayTimeout, overloaded

        package var status: Int {
            switch self {
            case .invalidRequest: 400
            case .unauthenticated: 401
            case .paymentRequired: 402
            case .forbidden: 403
            case .notFound: 404
            case .methodNotAllowed: 405
            case .timeout: 408
            case .conflict: 409
            case .tooLarge: 413
            case .unsupportedMediaType: 415
            case .unprocessable: 422
            case .rateLimited: 429
            case .internal: 500
            case .badGateway: 502
            case .unavailable: 503
            case .gatewayTimeout: 504
            case .overloaded: 529
            }
        }
    }

    package init(
        _ kind: Kind, code: String, _ message: String, field: String? = nil, retryAfterSeconds: Int? = nil,
        detail: String? = nil
    ) {
        self.kind = kind
        self.code = code
        self.message = message
        self.field = field
        self.retryAfterSeconds = retryAfterSeconds
        self.detail = detail
    }

    /// Fields that are not as they should be: all of them at once.
    ///
    /// - Parameter code: another where the document allows what was sent, and it means nothing here.
    package init(faults: [Fault], code: String = "invalid_fields") {
        let shown = faults.prefix(5).map { $0.field.isEmpty ? $0.message : "\($0.field) \($0.message)" }
        let more = faults.count > shown.count ? "; and \(faults.count - shown.count) more" : ""
        self.init(
            .unprocessable, code: code,
            "What was sent is not as it should be: \(shown.joined(separator: "; "))\(more).",
            field: faults.first.flatMap { $0.field.isEmpty ? nil : $0.field })
        self.faults = faults
    }

    /// An error nobody foresaw: the client learns only that it happened.
    package init(unforeseen error: any Error) {
        self.init(
            .internal, code: "internal_error",
            "Something went wrong on our side. Quote the request id when you report it.",
            detail: String(reflecting: error))
    }

    package var description: String { "\(code): \(message)" }
}
