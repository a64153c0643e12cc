import Admission
import Base
import Catalog
import HTTPServer
import Identity
import Metering
import Providers

/// Who pays for a request, and how much it can cost.
struct Payment {
    /// What is held of it, in the order of their ids.
    let limits: [TouchedLimit]
    /// Those that only count what it costs. Where nothing is held there are some.
    let counting: [UUID]
    let nanodollars: Int64
    /// Of a conversation: how much less it costs if its answer is shorter.
    var bound: CostBound?
    var commission: Commission?
    /// Whether budgets that have no money for it are written down and not obeyed.
    let isShadow: Bool

    /// - Parameter cost: the most that its provider can ask for it.
    init(
        _ payers: Payers, cost: Int64, bound: CostBound? = nil
    ) {
        limits = payers.limits
        counting = payers.counting
        isShadow = payers.isShadow
        commission = payers.commission
        self.bound = bound
        nanodollars = cost + (payers.commission?.ceiling(on: cost) ?? 0)
    }

    /// The longest answer that, with all that comes on top, is paid for with so much.
    func largestAnswer(within nanodollars: Int64) -> Int? {
        bound?.largestAnswer(within: commission?.cost(within: nanodollars) ?? nanodollars)
    }

    /// What is left of it where a budget that refuses nobody has no money; nil where it was another limit.
    func sparing(_ limit: MoneyLimit) -> MoneyNeed? {
        guard isShadow, !limit.isWallet else { return nil }
        var need = need
        need.limits.removeAll { !$0.isWallet }
        return need
    }

    struct Payers {
        var limits: [TouchedLimit]
        /// Those that only count.
        var counting: [UUID] = []
        var commission: Commission?
        var isShadow: Bool
    }

    /// nil where nothing is held.
    var hold: MoneyNeed? { limits.isEmpty ? nil : need }

    private var need: MoneyNeed {
        MoneyNeed(
            limits: limits.map { MoneyLimit(id: $0.id, isWallet: $0.isWallet, subject: $0.subject) },
            nanodollars: nanodollars)
    }

    /// What a client is told of a limit that does not pay for so much.
    func problem(_ shortage: Shortage, at now: Timestamp) -> Problem {
        let limit = limits.first { $0.id == shortage.limit.id } ?? limits[0]
        let reason: MoneyShortage.Reason =
            switch shortage.reason {
            case .unavailable: .unavailable
            case .heldByOthers: .heldByOthers
            case .spent: .spent
            case .neverFits: .neverFits
            }
        return Problem(
            MoneyShortage(
                limit: limit, reason: reason, affordable: shortage.affordable, needed: nanodollars), at: now)
    }
}

extension Gateway {
    /// Whether what calls use is written down, and the end of each waits for that.
    var metersCalls: Bool { limits.requiresPrices || meter != nil }

    /// nil where nothing is paid: no prices, or no limits on money.
    func payment(
        for call: ChatCall, by candidates: [Candidate]
    ) throws(Problem) -> Payment? {
        let paying = try payers(of: call.caller, asking: candidates[0], in: .chat, tags: { call.tags })
        if paying.limits.isEmpty { return paying.counting.isEmpty ? nil : Payment(paying, cost: 0) }
        guard let bound = try CostBound(of: call, candidates, by: tokenBound) else {
            throw Problem.unpriced(call.outline.model)
        }
        return Payment(paying, cost: bound.nanodollars, bound: bound)
    }

    /// The same for a request that costs at most `most` at any of `candidates`.
    func payment(
        of caller: Caller, to candidates: [Candidate], in group: EndpointGroup, tags: () -> [UInt8]?,
        most: ([Candidate]) -> Int64?
    ) throws(Problem) -> Payment? {
        let paying = try payers(of: caller, asking: candidates[0], in: group, tags: tags)
        if paying.limits.isEmpty { return paying.counting.isEmpty ? nil : Payment(paying, cost: 0) }
        guard let most = most(candidates) else { throw Problem.unpriced(candidates[0].id) }
        return Payment(paying, cost: most)
    }

    private func payers(
        of caller: Caller, asking candidate: Candidate, in group: EndpointGroup, tags: () -> [UInt8]?
    ) throws(Problem) -> Payment.Payers {
        var payers = Payment.Payers(limits: [], commission: nil, isShadow: false)
        guard limits.requiresPrices else { return payers }
        // What is used now could not be written down.
        if meter?.isFull() ?? false { throw Self.booksAway }
        guard limits.takesPayment || limits.budgets != .off else { return payers }
        let now = time.timestamp()
        let touched = try money.limits(of: caller, asking: candidate.id, in: group, tags: tags, at: now)
        if touched.isEmpty { return payers }
        for limit in touched where limit.isWallet ? limits.takesPayment : limits.budgets != .off {
            if limit.isSoft { payers.counting.append(limit.id) } else { payers.limits.append(limit) }
        }
        if payers.limits.isEmpty { return payers }
        payers.commission = commission(of: caller)
        payers.isShadow =
            limits.budgets == .shadow || caller.terms?.budgetsEnforcedFrom.map { $0 > now } ?? false
        return payers
    }

    private static let booksAway = Problem(
        .unavailable, code: "billing_unavailable",
        "What requests use cannot be written down at the moment, because the database has been away for long. Try again "
            + "later.", retryAfterSeconds: 5)

    /// What is taken on top of what a caller's requests cost; nil: nothing.
    private func commission(of caller: Caller) -> Commission? {
        guard limits.takesPayment else { return nil }
        let terms = caller.terms
        if let points = terms?.commissionPoints,
            let mode = terms?.commissionMode.flatMap(Commission.Mode.init)
        {
            return Commission(points: points, mode)
        }
        // A plan that says nothing takes nothing.
        return terms?.plan == nil ? .usual : nil
    }

    /// What is to be known of a call that is paid for, if this process dies meanwhile.
    @inline(never)
    func holdNote(_ caller: Caller, asking model: String, _ exchange: Exchange) -> HoldNote {
        HoldNote(
            id: makeID(at: time.timestamp()), user: caller.user, key: caller.key, requestID: exchange.id,
            endpoint: exchange.route?.name ?? "", model: model)
    }

    /// Ends what was let in: what it cost is settled and written down, and what was held beyond is given back. Calls `done`
    /// when that is so, or is known to have to wait.
    func settle(
        _ permit: Permit, _ attempts: CallAttempts, endpoint: String?, asking model: String,
        cache: String? = nil,
        then done: @escaping @Sendable () -> Void
    ) {
        let now = time.timestamp()
        var event = attempts.usageEvent(
            permit.money?.id ?? makeID(at: now), endpoint: endpoint, asking: model, cache: cache, at: now)
        let spent = charge(&event, permit.money, commission(of: attempts.caller))
        // What only counts has nothing held, and Redis hears nothing of it.
        let costs = event.charges.map(\.nanodollars)
        for limit in attempts.counting { event.charges.append(.init(limit: limit, nanodollars: spent)) }
        guard let meter else {
            return gatekeeper.settle(permit, tokens: attempts.tokens, costs: costs, journal: nil) { _ in
                done()
            }
        }
        let entry = JournalEntry(event)
        // What cost nothing need not survive its gateway.
        let item = event.attempts.isEmpty ? nil : Gatekeeper.JournalItem(id: entry.id, bytes: entry.bytes)
        gatekeeper.settle(permit, tokens: attempts.tokens, costs: costs, journal: item) {
            [event, gatekeeper] isJournaled in
            meter.take(event, entry, isJournaled || item == nil) {
                if !isJournaled { gatekeeper.writtenDown(permit) }
                done()
            }
        }
    }

    /// Says who pays how much of it: budgets all that it costs, which is returned, wallets what is not paid with the
    /// organization's own keys.
    private func charge(
        _ event: inout UsageEvent, _ held: HeldMoney?, _ commission: Commission?
    ) -> Int64 {
        var spent: Int64 = 0
        for place in event.attempts.indices {
            let cost = event.attempts[place].cost ?? 0
            let more = commission?.amount(on: cost) ?? 0
            event.attempts[place].commission = more
            event.attempts[place].charge = more + (event.attempts[place].isOwnKey ? 0 : cost)
            spent = min(spent + cost + more, ModelPrice.mostNanodollars)
        }
        guard let held else { return spent }
        // Where something has no price that it used, it takes all that was held: never less than it cost.
        if !event.isWhollyPriced, let last = event.attempts.indices.last, held.nanodollars > spent {
            event.attempts[last].charge += held.nanodollars - spent
            spent = held.nanodollars
        }
        let charge = event.charge
        event.charges = held.limits.map {
            UsageEvent.Charge(limit: $0.id, nanodollars: $0.isWallet ? charge : spent)
        }
        event.grants = held.grantIDs
        event.isPrepaid = held.limits.contains { $0.isWallet }
        return spent
    }
}
