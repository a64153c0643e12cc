import Admission
import Base

extension Problem {
    /// What a client is told that cannot pay: which limit it is, whose, and the way out.
    init(_ shortage: MoneyShortage, at now: Timestamp) {
        let limit = shortage.limit
        let whose = limit.subject.words
        let need = "The request can cost up to \(Self.dollars(shortage.needed))"
        switch (shortage.reason, limit.isWallet) {
        case (.neverFits, _):
            self.init(
                .paymentRequired, code: "request_exceeds_budget",
                "\(need), which is more than \(limit.words) of \(whose) ever allows. Ask for fewer tokens "
                    + "(max_tokens), shorten the conversation, or choose a cheaper model.")
            isWorthRetrying = false
        case (.spent, true):
            self.init(
                .paymentRequired, code: "insufficient_balance",
                "\(need), and \(limit.words) of \(whose) has \(Self.dollars(shortage.affordable)) left. "
                    + "Top it up, or ask for less.")
            isWorthRetrying = false
        case (.spent, false):
            self.init(
                .paymentRequired, code: "budget_exceeded",
                "\(need), and \(limit.words) of \(whose) has \(Self.dollars(shortage.affordable)) left. "
                    + Self.wayOut(of: limit, now))
            if let end = limit.end, now < end { setPause(end - now) }
        case (.heldByOthers, _):
            self.init(
                .paymentRequired, code: "held_by_inflight",
                "\(need), and what \(limit.words) of \(whose) has left is held by requests that are under way. "
                    + "Try again when some of them have ended.")
            setPause(Self.pauseOfHeld)
            isWorthRetrying = true
        case (.unavailable, _):
            self.init(
                .unavailable, code: "billing_unavailable",
                "It cannot be told at the moment whether \(limit.words) of \(whose) pays for the request. "
                    + "Try again shortly.")
            setPause(Self.pauseOfUnavailable)
            isWorthRetrying = true
        }
        limitSource = "\(limit.subject.text):\(limit.isWallet ? "wallet" : "budget")"
    }

    /// Answers take seconds.
    private static var pauseOfHeld: Duration { .seconds(2) }
    private static var pauseOfUnavailable: Duration { .seconds(5) }

    private static func wayOut(of limit: TouchedLimit, _ now: Timestamp) -> String {
        guard let end = limit.end, now < end else { return "Ask an administrator to raise it." }
        return "It ends in \((end - now).words); ask an administrator to raise it, or come back then."
    }

    /// Nano-dollars, as people read them: `$0.054399`.
    private static func dollars(_ nanodollars: Int64) -> String {
        "$" + String(decoding: DollarText.bytes(Int(max(0, nanodollars)), places: 9), as: UTF8.self)
    }
}

extension TouchedLimit {
    fileprivate var words: String { isWallet ? "the balance" : "the budget" }
}
