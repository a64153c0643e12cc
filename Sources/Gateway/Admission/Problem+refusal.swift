import Admission
import Base

extension Problem {
    /// What a client is told of a limit that it has reached: which, whose, and when to come back.
    init(_ refusal: Refusal) {
        let whose = refusal.subject.words
        let limit = refusal.limit.words(of: refusal.value)
        switch (refusal.limit, refusal.wait) {
        case (_, nil) where refusal.value == 0:
            self.init(
                .forbidden, code: "blocked_by_limit",
                "The limit of \(whose) is \(limit): nothing is let through. Ask an administrator to raise it."
            )
            isWorthRetrying = false
        case (_, nil):
            self.init(
                .invalidRequest, code: "request_exceeds_quota",
                "The request can take more than the limit of \(whose) ever allows: \(limit). "
                    + "Ask for fewer tokens (max_tokens), or shorten the conversation.")
            isWorthRetrying = false
        case (.window(let name), let wait?) where name.span == .month:
            self.init(
                .rateLimited, code: "quota_exhausted",
                "The quota of \(whose) is used up: \(limit). It begins anew in \(wait.words).")
            setPause(wait)
        case (_, let wait?):
            self.init(
                .rateLimited, code: "rate_limited",
                "The limit of \(whose) is reached: \(limit). Try again in \(wait.words).")
            setPause(wait)
        }
        limitSource = "\(refusal.subject.text):\(refusal.limit.rawValue)"
    }

    mutating func setPause(_ wait: Duration) {
        let milliseconds = max(1, (wait.nanoseconds + 999_999) / 1_000_000)
        retryAfter = .milliseconds(milliseconds)
        retryAfterSeconds = Int((milliseconds + 999) / 1000)
    }
}

extension LimitKind {
    /// `100 requests per minute`
    fileprivate func words(of value: Int) -> String {
        switch self {
        case .underway: return "\(value) requests under way at once"
        case .window(let name):
            let quantity = name.quantity == .requests ? "requests" : "tokens"
            return "\(value) \(quantity) per \(name.span)"
        }
    }
}

extension LimitSubject {
    /// As it is told to people.
    var words: String {
        switch self {
        case .organization: "the organization"
        case .user: "the user"
        case .key: "the API key"
        case .model(let model): "the model \"\(model)\""
        case .eachModel: "each model"
        case .group(let group): "the endpoints of \(group.rawValue)"
        case .tag(let tag): "the tag \"\(tag)\""
        case .address: "the address"
        }
    }
}

extension Duration {
    /// `12.3 seconds`, `5 minutes`, `3 hours`
    var words: String {
        let tenths = (nanoseconds + 99_999_999) / 100_000_000
        if tenths < 1200 { return "\(tenths / 10).\(tenths % 10) seconds" }
        let minutes = (tenths + 599) / 600
        if minutes < 120 { return "\(minutes) minutes" }
        let hours = (minutes + 59) / 60
        return hours < 48 ? "\(hours) hours" : "\((hours + 23) / 24) days"
    }
}
