import JSON

/// An error that many endpoints have, written once in the document.
enum CommonError: String, CaseIterable {
    case malformed = "Malformed"
    case unauthenticated = "Unauthenticated"
    case forbidden = "Forbidden"
    case notFound = "NotFound"
    case tooLarge = "TooLarge"
    case unsupportedMediaType = "UnsupportedMediaType"
    case unprocessable = "Unprocessable"
    case rateLimited = "RateLimited"
    case unavailable = "Unavailable"
    /// Whatever is not documented by its status.
    case other = "Other"

    var status: Int {
        switch self {
        case .malformed: 400
        case .unauthenticated: 401
        case .forbidden: 403
        case .notFound: 404
        case .tooLarge: 413
        case .unsupportedMediaType: 415
        case .unprocessable: 422
        case .rateLimited: 429
        case .unavailable: 503
        case .other: 500
        }
    }

    private var description: String {
        switch self {
        case .malformed: "What was sent is malformed: the query, or the body's JSON."
        case .unauthenticated: "No valid credential was sent."
        case .forbidden: "The credential is valid and does not allow this."
        case .notFound: "There is no such object, or it is another organization's."
        case .tooLarge: "The body is too large."
        case .unsupportedMediaType: "The body is no JSON, or is compressed."
        case .unprocessable: "What was sent is not as described. Every fault is in `errors`."
        case .rateLimited: "Too many requests. Come back after `Retry-After`."
        case .unavailable: "The gateway cannot do this at the moment. Come back after `Retry-After`."
        case .other: "Any other error."
        }
    }

    static func writeAll(to json: inout JSONWriter) {
        json.object("responses") { json in
            for error in allCases {
                json.key(dynamic: error.rawValue)
                json.object { json in
                    json.field("description", error.description)
                    AnswerDescription.writeHeaders(
                        isNamed: error != .other, status: error.status, to: &json)
                    let schema: Schema = error == .other || error == .malformed ? .refusal : .error
                    AnswerDescription.writeContent(
                        [AnswerDescription(error.status, error.description, schema)], to: &json)
                }
            }
        }
    }
}
