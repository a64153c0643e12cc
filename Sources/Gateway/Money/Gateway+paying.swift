import Admission
import Base
import HTTPServer
import Identity
import Metering
import Providers

/// Who pays for a request, and how much it can cost.
struct Payment {
    /// In the order of their ids; never none.
    let limits: [TouchedLimit]
    let nanodollars: Int64
    /// Of a conversation: how much less it costs if its answer is shorter.
    var bound: CostBound?

    var need: MoneyNeed {
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
        let paying = try payers(of: call.caller, asking: candidates[0], in: .chat)
        if paying.isEmpty { return nil }
        guard let bound = try CostBound(of: call, candidates, by: tokenBound) else {
            throw Problem.unpriced(call.outline.model)
        }
        return Payment(limits: paying, nanodollars: bound.nanodollars, bound: bound)
    }

    /// The same for a request that costs at most `most` at any of `candidates`.
    func payment(
        of caller: Caller, to candidates: [Candidate], in group: EndpointGroup,
        most: ([Candidate]) -> Int64?
    ) throws(Problem) -> Payment? {
        let paying = try payers(of: caller, asking: candidates[0], in: group)
        if paying.isEmpty { return nil }
        guard let most = most(candidates) else { throw Problem.unpriced(candidates[0].id) }
        return Payment(limits: paying, nanodollars: most)
    }

    private func payers(
        of caller: Caller, asking candidate: Candidate, in group: EndpointGroup
    ) throws(Problem) -> [TouchedLimit] {
        guard limits.requiresPrices else { return [] }
        return try money.limits(of: caller, asking: candidate.id, in: group, at: time.timestamp())
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
        charge(&event, permit.money)
        let costs = event.charges.map(\.nanodollars)
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

    /// Says who pays how much of it.
    private func charge(_ event: inout UsageEvent, _ held: HeldMoney?) {
        for place in event.attempts.indices { event.attempts[place].charge = event.attempts[place].cost ?? 0 }
        guard let held else { return }
        // Where something has no price that it used, it takes all that was held: never less than it cost.
        if !event.isWhollyPriced, let last = event.attempts.indices.last {
            event.attempts[last].charge += max(0, held.nanodollars - event.charge)
        }
        let charge = event.charge
        event.charges = held.limits.map { UsageEvent.Charge(limit: $0.id, nanodollars: charge) }
        event.grants = held.grantIDs
        event.isPrepaid = held.limits.contains { $0.isWallet }
    }
}
