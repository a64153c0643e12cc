import Base
import Chat
import HTTPClient
import Providers

/// Why an attempt brought no answer, and what may be done about it while the client has got nothing.
struct CallFailure: Error {
    /// What the client is told if nothing helps.
    var problem: Problem
    var remedy: Remedy
    /// What the provider said.
    var answer: (status: Int, body: [UInt8])?
    /// What was used up nevertheless.
    var usage: ChatUsage?
    /// Whether the client can mend it, and so had better read what the provider said, if it speaks its dialect.
    var isClients = false

    enum Remedy: Equatable {
        /// It would fail anywhere.
        case none
        /// Another model may do, this one will not.
        case elsewhere
        /// It may go well the next time, but not before this has passed.
        case again(after: Duration?)
        /// The same at once, with another key.
        case otherKey
    }

    init(_ problem: Problem, _ remedy: Remedy) {
        self.problem = problem
        self.remedy = remedy
    }

    /// Nothing was asked.
    init(_ refusal: Upstream.Refusal, at now: Instant) {
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

    init(_ error: HTTPClientError) {
        let remedy: Remedy =
            switch error.kind {
            case .resolve, .connect, .connectTimeout, .sendFailed, .connectionLost, .protocolError:
                .again(after: nil)
            case .firstByteTimeout, .betweenBytesTimeout, .certificate, .addressRefused, .tooLarge: .elsewhere
            case .totalTimeout, .cancelled, .invalidRequest, .tooManyTransfers: .none
            }
        self.init(ErrorResponder.problem(error), remedy)
    }

    init(_ fault: UpstreamFault, retryAfter: Duration?) {
        let seconds = retryAfter?.wholeSeconds
        // Not in the provider's words: they may repeat the prompt, or a key.
        let detail = "\(fault.kind.rawValue), status \(fault.status ?? 0)"
        func client(_ kind: Problem.Kind, _ code: String) -> Problem {
            Problem(
                kind, code: fault.code ?? code, fault.message, field: fault.field, detail: detail)
        }
        switch fault.kind {
        case .invalidRequest: self.init(client(.invalidRequest, "invalid_request"), .none)
        case .contextTooLong: self.init(client(.invalidRequest, "context_length_exceeded"), .elsewhere)
        case .contentRefused: self.init(client(.invalidRequest, "content_filter"), .elsewhere)
        case .notFound: self.init(client(.notFound, "model_not_found"), .elsewhere)
        case .tooLarge: self.init(client(.tooLarge, "request_too_large"), .elsewhere)
        case .unauthenticated, .unpaid, .forbidden: self.init(.accountRefused(detail), .otherKey)
        case .rateLimited:
            self.init(
                Problem(
                    .rateLimited, code: "provider_rate_limited",
                    "The provider's limit for this gateway is reached. Try again later.",
                    retryAfterSeconds: seconds, detail: detail),
                .otherKey)
        case .overloaded:
            self.init(
                Problem(
                    .unavailable, code: "provider_unavailable",
                    "The provider is overloaded. Try again later.",
                    retryAfterSeconds: seconds, detail: detail),
                .again(after: retryAfter))
        case .timedOut:
            self.init(
                Problem(
                    .gatewayTimeout, code: "provider_timeout",
                    "The provider did not answer in time. Try again.", detail: detail),
                .again(after: retryAfter))
        case .failed:
            self.init(
                Problem(
                    .badGateway, code: "provider_error", "The provider failed to answer. Try again.",
                    detail: detail),
                .again(after: retryAfter))
        case .garbled:
            self.init(
                Problem(
                    .badGateway, code: "provider_garbled",
                    "The provider's answer broke off or cannot be understood. Try again.", detail: detail),
                .again(after: nil))
        }
        problem.retryAfter = problem.retryAfterSeconds == nil ? nil : retryAfter
        usage = fault.usage
        isClients = problem.kind.status < 500 && fault.kind != .rateLimited
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
