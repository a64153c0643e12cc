import Base
import HTTPWire
import JSON

/// A problem in Anthropic's shape, as a body or as the event that breaks a stream off.
enum AnthropicProblem {
    static func body(_ problem: Problem, requestID: String) -> [UInt8] {
        var json = JSONWriter(capacity: 256)
        json.object { json in
            json.field("type", "error")
            json.object("error") { json in
                // Anthropic has the first two; the others are for programs, as in our other dialects.
                OpenAIProblem.write(
                    problem, type: type(of: problem.kind), message: message(of: problem),
                    requestID: requestID, to: &json)
            }
            json.field("request_id", requestID)
        }
        return json.bytes
    }

    static func event(_ problem: Problem, requestID: String) -> [UInt8] {
        var bytes: [UInt8] = []
        SSEWriter.append(event: "error", data: body(problem, requestID: requestID), to: &bytes)
        return bytes
    }

    /// The dialect has no place for the field, so it begins the message, as Anthropic's own do.
    private static func message(of problem: Problem) -> String {
        guard let field = problem.field, !problem.message.contains(field) else { return problem.message }
        return "\(field): \(problem.message)"
    }

    private static func type(of kind: Problem.Kind) -> String {
        switch kind {
        case .invalidRequest, .methodNotAllowed, .conflict, .unsupportedMediaType, .unprocessable:
            "invalid_request_error"
        case .unauthenticated: "authentication_error"
        case .paymentRequired: "billing_error"
        case .forbidden: "permission_error"
        case .notFound: "not_found_error"
        case .tooLarge: "request_too_large"
        case .rateLimited: "rate_limit_error"
        case .internal, .badGateway: "api_error"
        case .timeout, .gatewayTimeout: "timeout_error"
        case .unavailable, .overloaded: "overloaded_error"
        }
    }
}
