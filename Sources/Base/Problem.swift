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
    /// Sent as `Retry-After`.
    package var retryAfterSeconds: Int?
    /// For the log only; never sent.
    package var detail: String?

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

    /// An error nobody foresaw: the client learns only that it happened.
    package init(unforeseen error: any Error) {
        self.init(
            .internal, code: "internal_error",
            "Something went wrong on our side. Quote the request id when you report it.",
            detail: String(reflecting: error))
    }

    package var description: String { "\(code): \(message)" }
}
