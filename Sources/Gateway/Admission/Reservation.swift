import Admission
import Base
import HTTPServer
import HTTPWire

/// What a request asks to be let in with.
// An object, so that those who wait for the answer carry no copies of it. Confined to its loop.
class Reservation {
    final let request: AdmissionRequest
    final let payment: Payment?
    /// The budget that would have refused it.
    private(set) final var refusedBy: UUID?

    init(_ request: AdmissionRequest, _ payment: Payment?) {
        self.request = request
        self.payment = payment
        self.request.money = payment?.hold
    }

    /// Changes it, where it was not let in, to one that may be; says whether it has.
    func askForLess(after verdict: Gatekeeper.Verdict) throws(Problem) -> Bool { false }

    /// Goes on without the budgets, where they refuse nobody; says whether that is so.
    final func spare(after verdict: Gatekeeper.Verdict) -> Bool {
        guard case .unfunded(let shortage) = verdict, let need = payment?.sparing(shortage.limit) else {
            return false
        }
        request.money = need.limits.isEmpty ? nil : need
        refusedBy = shortage.limit.id
        return true
    }

    /// Has its answer be no longer than what was reserved, and tells the client.
    func limitAnswer() throws {}
}

/// The same for a conversation: what it can take of tokens and of money, where those are limited, is reserved, and its
/// answer is limited to that.
final class ConversationReservation: Reservation {
    private let call: ChatCall
    private let candidate: Candidate
    private let tokenBound: TokenBound
    private let gatekeeper: Gatekeeper
    /// The longest answers that the reserved tokens, and the held money, are enough for; nil where nothing bounds them, or the
    /// client has.
    private var reservedAnswer: Int?
    private var paidAnswer: Int?

    /// - Parameter candidate: who is asked first.
    init(
        _ request: AdmissionRequest, _ payment: Payment?, of call: ChatCall, asking candidate: Candidate,
        _ tokenBound: TokenBound, _ gatekeeper: Gatekeeper
    ) throws(Problem) {
        self.call = call
        self.candidate = candidate
        self.tokenBound = tokenBound
        self.gatekeeper = gatekeeper
        paidAnswer = payment?.bound?.answer
        super.init(request, payment)
        if request.subjects.limitsTokens { reserve(try tokens()) }
    }

    /// As many as there is room for, as far as is known.
    private func tokens() throws(Problem) -> TokenBound.Bound {
        try tokenBound.bound(of: call, candidate, room: gatekeeper.room(for: request))
    }

    private func reserve(_ bound: TokenBound.Bound) {
        request.tokens = bound.tokens
        reservedAnswer = bound.answer
    }

    override func askForLess(after verdict: Gatekeeper.Verdict) throws(Problem) -> Bool {
        switch verdict {
        case .refused(let refusal) where refusal.isOfTokens:
            // What is left was not known, or somebody else has taken it.
            let smaller = try tokens()
            guard smaller.tokens < request.tokens else { return false }
            reserve(smaller)
            return true
        case .unfunded(let shortage):
            guard let answer = payment?.largestAnswer(within: shortage.affordable) else {
                return false
            }
            request.money?.nanodollars = shortage.affordable
            paidAnswer = answer
            return true
        default: return false
        }
    }

    override func limitAnswer() throws {
        guard let most = [reservedAnswer, paidAnswer].compactMap(\.self).min() else { return }
        try call.limitAnswer(to: most)
        call.exchange.responseFields.append(known: "X-Hivegate-Max-Tokens", most)
    }
}
