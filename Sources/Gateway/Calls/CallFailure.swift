import Base
import Chat
import HTTPClient
import Providers

/// Why an attempt brought no answer, and what may be done about it while the client has got nothing.
///
/// A class, because everything that waits for an answer would otherwise keep room for several of these.
final class CallFailure: Error {
    /// What the client is told if nothing helps.
    let problem: Problem
    let remedy: Remedy
    /// What the provider said.
    let answer: (status: Int, body: [UInt8])?
    /// What was used up nevertheless.
    let usage: ChatUsage?
    /// Whether the client can mend it, and so had better read what the provider said, if it speaks its dialect.
    let isClients: Bool

    enum Remedy: Equatable, Sendable {
        /// It would fail anywhere.
        case none
        /// Another model may do, this one will not.
        case elsewhere
        /// It may go well the next time, but not before this has passed.
        case again(after: Duration?)
        /// The same at once, with another key.
        case otherKey
    }

    init(
        _ problem: Problem, _ remedy: Remedy, answer: (status: Int, body: [UInt8])? = nil,
        usage: ChatUsage? = nil, isClients: Bool = false
    ) {
        self.problem = problem
        self.remedy = remedy
        self.answer = answer
        self.usage = usage
        self.isClients = isClients
    }

    /// The same for a client who would not understand what the provider said.
    var withoutAnswer: CallFailure {
        answer == nil ? self : CallFailure(problem, remedy, usage: usage, isClients: isClients)
    }

    /// Nothing was asked.
    convenience init(_ refusal: Upstream.Refusal, at now: Instant) {
        switch refusal {
        case .failing(let until):
            self.init(
                Problem(
                    .unavailable, code: "provider_unavailable",
                    "The provider fails at the moment. Try again later, or another model.",
                    retryAfterSeconds: (until - now).wholeSeconds, detail: "the breaker is open"),
                .elsewhere)
        case .limited(let until):
            self.init(
                Problem(
                    .rateLimited, code: "provider_rate_limited",
                    "The provider's limit for this gateway is reached. Try again later.",
                    retryAfterSeconds: (until - now).wholeSeconds, detail: "all keys rest"),
                .elsewhere)
        case .busy:
            self.init(
                Problem(
                    .overloaded, code: "provider_busy",
                    "As many requests are under way at this provider as it bears. Try again shortly.",
                    retryAfterSeconds: 1),
                .again(after: nil))
        }
    }

    convenience init(_ error: HTTPClientError) {
        let remedy: Remedy =
            switch error.kind {
            case .resolve, .connect, .connectTimeout, .sendFailed, .connectionLost, .protocolError:
                .again(after: nil)
            case .firstByteTimeout, .betweenBytesTimeout, .certificate, .addressRefused, .tooLarge: .elsewhere
            case .totalTimeout, .cancelled, .invalidRequest, .tooManyTransfers: .none
            }
        self.init(ErrorResponder.problem(error), remedy)
    }

    convenience init(
        _ fault: UpstreamFault, retryAfter: Duration? = nil, isWorthRetrying: Bool? = nil,
        answer: (status: Int, body: [UInt8])? = nil
    ) {
        var (problem, remedy) = Self.meaning(of: fault, retryAfter)
        problem.retryAfter = problem.retryAfterSeconds == nil ? nil : retryAfter
        problem.isWorthRetrying = isWorthRetrying
        self.init(
            problem, remedy, answer: answer, usage: fault.usage,
            isClients: problem.kind.status < 500 && fault.kind != .rateLimited)
    }

    private static func meaning(of fault: UpstreamFault, _ retryAfter: Duration?) -> (Problem, Remedy) {
        let seconds = retryAfter?.wholeSeconds
        // Not in the provider's words: they may repeat the prompt, or a key.
        let detail = "\(fault.kind.rawValue), status \(fault.status ?? 0)"
        func client(_ kind: Problem.Kind, _ code: String) -> Problem {
            Problem(
                kind, code: fault.code ?? code, fault.message, field: fault.field, detail: detail)
        }
        return switch fault.kind {
        case .invalidRequest: (client(.invalidRequest, "invalid_request"), .none)
        case .contextTooLong: (client(.invalidRequest, "context_length_exceeded"), .elsewhere)
        case .contentRefused: (client(.invalidRequest, "content_filter"), .elsewhere)
        case .notFound: (client(.notFound, "model_not_found"), .elsewhere)
        case .tooLarge: (client(.tooLarge, "request_too_large"), .elsewhere)
        case .unauthenticated, .unpaid, .forbidden: (.accountRefused(detail), .otherKey)
        case .rateLimited:
            (
                Problem(
                    .rateLimited, code: "provider_rate_limited",
                    "The provider's limit for this gateway is reached. Try again later.",
                    retryAfterSeconds: seconds, detail: detail),
                .otherKey
            )
        case .overloaded:
            (
                Problem(
                    .unavailable, code: "provider_unavailable",
                    "The provider is overloaded. Try again later.",
                    retryAfterSeconds: seconds, detail: detail),
                .again(after: retryAfter)
            )
        case .timedOut:
            (
                Problem(
                    .gatewayTimeout, code: "provider_timeout",
                    "The provider did not answer in time. Try again.", detail: detail),
                .again(after: retryAfter)
            )
        case .failed:
            (
                Problem(
                    .badGateway, code: "provider_error", "The provider failed to answer. Try again.",
                    detail: detail),
                .again(after: retryAfter)
            )
        case .garbled:
            (
                Problem(
                    .badGateway, code: "provider_garbled",
                    "The provider's answer broke off or cannot be understood. Try again.", detail: detail),
                .again(after: nil)
            )
        }
    }
}

extension Problem {
    fileprivate static func accountRefused(_ detail: String) -> Problem {
        Problem(
            .badGateway, code: "provider_account",
            "The provider refuses the gateway's account. Ask whoever operates this gateway.", detail: detail)
    }
}

extension Duration {
    /// At least one.
    fileprivate var wholeSeconds: Int { max(1, Int((nanoseconds + 999_999_999) / 1_000_000_000)) }
}

extension CallFailure {
    static let retriesExhausted = CallFailure(
        Problem(
            .unavailable, code: "provider_unavailable",
            "The provider fails at the moment. Try again later, or another model.", retryAfterSeconds: 2,
            detail: "the budget for retries is spent"),
        .elsewhere)

    /// A model is asked for what it is not made for.
    static func cannot(_ purpose: String, _ candidate: Candidate) -> CallFailure {
        CallFailure(
            Problem(
                .invalidRequest, code: "unsupported_by_model",
                "model: \"\(candidate.id.prefix(100))\" is not for \(purpose). Choose another model.",
                field: "model"),
            .elsewhere)
    }

    /// Whether the client learns more from this failure than from a later one.
    func outweighs(_ later: CallFailure) -> Bool { weight > later.weight }

    /// What the client can mend itself comes first, then what a provider said, then that nobody was asked.
    private var weight: Int {
        if problem.kind.status < 500, problem.kind != .rateLimited { return 2 }
        return problem.code == "provider_unavailable" ? 0 : 1
    }
}

extension Problem {
    init(_ unsayable: UpstreamRequest.Unsayable) {
        self.init(
            .invalidRequest, code: "unsupported_by_model",
            "\(unsayable.field): \(unsayable.reason). Leave it out, or choose a model that has it.",
            field: unsayable.field)
    }
}
