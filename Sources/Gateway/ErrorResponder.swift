package import Base
import HTTPClient
package import HTTPServer
import HTTPWire
import Identity
import Postgres
import Providers

/// Answers what went wrong, in the dialect of the request's front.
package struct ErrorResponder: Sendable {
    private let logger: Logger

    package init(logger: Logger) { self.logger = logger }

    /// In the shape that the request's address calls for, unless `body` has another.
    package func respond(
        _ error: any Error, _ exchange: Exchange, _ body: ((Problem) -> [UInt8])? = nil
    ) {
        let problem = Self.problem(error)
        if let detail = problem.detail {
            let status = problem.kind.status
            if status >= 500 {
                logger.error(
                    "request failed", ("request_id", "\(exchange.id)"), ("code", "\(problem.code)"),
                    ("detail", "\(detail)"))
            } else {
                logger.debug(
                    "request refused", ("request_id", "\(exchange.id)"), ("code", "\(problem.code)"),
                    ("detail", "\(detail)"))
            }
        }
        var fields: HTTPFields = ["Content-Type": "application/json"]
        if !exchange.responseFields.contains("X-Request-Id") { fields.append("X-Request-Id", exchange.id) }
        if let seconds = problem.retryAfterSeconds { fields.append("Retry-After", seconds) }
        if let pause = problem.retryAfter {
            fields.append("Retry-After-Ms", Int(pause.nanoseconds / 1_000_000))
        }
        if let isWorthRetrying = problem.isWorthRetrying {
            fields.append("X-Should-Retry", isWorthRetrying ? "true" : "false")
        }
        if problem.kind == .unauthenticated { fields.append("WWW-Authenticate", "Bearer") }
        exchange.respond(
            problem.kind.status, fields,
            body: body?(problem) ?? Self.body(problem, exchange))
    }

    /// What is refused before anybody has looked at the request is told by its address in which dialect to say so.
    private static func body(_ problem: Problem, _ exchange: Exchange) -> [UInt8] {
        exchange.request.path.starts(with: anthropicPath)
            ? AnthropicFront().body(problem, requestID: exchange.id)
            : OpenAIProblem.body(problem, requestID: exchange.id)
    }

    private static let anthropicPath = Array("/v1/messages".utf8)

    /// What a client may know of `error`.
    package static func problem(_ error: any Error) -> Problem {
        switch error {
        case let problem as Problem: problem
        case let failure as CallFailure: failure.problem
        case let error as HTTPClientError: problem(error)
        case let error as PostgresError: problem(error)
        case is KeyRing.Slow: databaseIsAway("the look-up of a key takes too long")
        default: Problem(unforeseen: error)
        }
    }

    private static func problem(_ error: HTTPClientError) -> Problem {
        switch error.kind {
        case .firstByteTimeout, .betweenBytesTimeout, .totalTimeout, .connectTimeout:
            Problem(
                .gatewayTimeout, code: "provider_timeout", "The provider did not answer in time. Try again.",
                detail: error.debugDescription)
        case .tooManyTransfers:
            Problem(
                .overloaded, code: "overloaded", "Too many requests are under way. Try again shortly.",
                retryAfterSeconds: 1, detail: error.debugDescription)
        default:
            Problem(
                .badGateway, code: "provider_unreachable",
                "The provider could not be reached, or broke off. Try again.",
                detail: error.debugDescription)
        }
    }

    /// Whatever the database says beyond being away is a fault of ours.
    private static func problem(_ error: PostgresError) -> Problem {
        error.isOutage ? databaseIsAway(error.debugDescription) : Problem(unforeseen: error)
    }

    private static func databaseIsAway(_ detail: String) -> Problem {
        Problem(
            .unavailable, code: "database_unavailable",
            "The gateway's database cannot be reached at the moment. Try again shortly.",
            retryAfterSeconds: 2,
            detail: detail)
    }
}
