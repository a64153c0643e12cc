package import Base
import HTTPWire
import JSON

/// A problem in OpenAI's shape, as a body or as an event in the middle of a stream.
package enum OpenAIProblem {
    package static func body(_ problem: Problem, requestID: String) -> [UInt8] {
        var json = JSONWriter(capacity: 256)
        json.object { json in
            json.object("error") { json in
                write(
                    problem, type: type(of: problem.kind), message: problem.message, requestID: requestID,
                    to: &json)
            }
        }
        return json.bytes
    }

    /// What is in the object `error`, whichever dialect it is part of.
    static func write(
        _ problem: Problem, type: String, message: String, requestID: String, to json: inout JSONWriter
    ) {
        json.field("type", type)
        json.field("message", message)
        json.key("param")
        json.value(problem.field)
        json.field("code", problem.code)
        json.field("request_id", requestID)
        json.field("retry_after", ifPresent: problem.retryAfterSeconds)
        json.field("limit_source", ifPresent: problem.limitSource)
        if problem.faults.isEmpty { return }
        json.array("errors") { json in
            for fault in problem.faults {
                json.object { json in
                    json.field("field", fault.field)
                    json.field("message", fault.message)
                }
            }
        }
    }

    /// After this event the stream just ends: a `[DONE]` would say that all went well.
    package static func event(_ problem: Problem, requestID: String) -> [UInt8] {
        var bytes: [UInt8] = []
        SSEWriter.append(data: body(problem, requestID: requestID), to: &bytes)
        return bytes
    }

    private static func type(of kind: Problem.Kind) -> String {
        switch kind {
        case .invalidRequest, .notFound, .methodNotAllowed, .conflict, .tooLarge, .unsupportedMediaType,
            .unprocessable, .timeout:
            "invalid_request_error"
        case .unauthenticated: "authentication_error"
        // As OpenAI calls it, at whose status 429 clients would come back at once.
        case .paymentRequired: "insufficient_quota"
        case .forbidden: "permission_error"
        case .rateLimited: "rate_limit_error"
        case .internal, .badGateway, .gatewayTimeout: "api_error"
        case .unavailable, .overloaded: "overloaded_error"
        }
    }
}
