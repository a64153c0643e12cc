import Admission
import Base
import Cache
import HTTPServer
import HTTPWire
import Identity
import Providers
import Redis

/// Who may go on now: the key as Redis knows it, and all limits, in one trip.
extension Gateway {
    /// What came back of the first trip.
    struct Entry {
        let permit: Permit
        /// Of the commands beside.
        let values: ArraySlice<RedisValue>
        /// The budget that would have refused it, if budgets did.
        var refusedBy: UUID?
        /// The budgets that only count what it costs.
        var counting: [UUID] = []
    }

    /// Lets a request in, or throws what it is refused for; nil where the caller is another than was thought: then all
    /// that depends on them is to be found out anew.
    // Not inlined, so that all this takes room only as long as it lasts.
    @inline(never)
    private func enter(
        _ arrival: Arrival, _ reservation: Reservation, beside others: [RedisCommand] = [],
        _ exchange: Exchange,
        after first: (verdict: Gatekeeper.Verdict, values: ArraySlice<RedisValue>)? = nil
    ) async throws -> Entry? {
        var (verdict, values) =
            if let first { first } else { await gatekeeper.admit(reservation.request, beside: others) }
        // Once for budgets that refuse nobody, once for tokens, and once for money.
        for _ in 0..<3 {
            if case .admitted = verdict { break }
            let isSpared = reservation.spare(after: verdict)
            guard try isSpared || reservation.askForLess(after: verdict) else { break }
            (verdict, values) = await gatekeeper.admit(reservation.request, beside: others)
        }
        guard case .admitted(let permit) = verdict else {
            try await refuse(arrival, reservation, for: verdict, exchange)
            return nil
        }
        let caller = arrival.caller
        do {
            try await confirm(arrival, by: permit.generation)
        } catch {
            gatekeeper.settle(permit, tokens: 0)
            throw error
        }
        guard arrival.caller === caller || arrival.caller == caller else {
            gatekeeper.settle(permit, tokens: 0)
            return nil
        }
        tell(permit.standing, isLocal: permit.isLocal, exchange)
        return Entry(
            permit: permit, values: values, refusedBy: reservation.refusedBy,
            counting: reservation.payment?.counting ?? [])
    }

    /// Throws what a request was not let in for, unless its caller is another than was thought.
    // Not inlined: see above.
    @inline(never)
    private func refuse(
        _ arrival: Arrival, _ reservation: Reservation, for verdict: Gatekeeper.Verdict, _ exchange: Exchange
    ) async throws {
        switch verdict {
        case .admitted: preconditionFailure("who was let in is not refused")
        case .refused(let refusal):
            // Whose key was revoked learns that, and nothing of limits.
            try await confirm(arrival, by: refusal.isLocal ? .unavailable : .current)
            tell(refusal.standing, isLocal: refusal.isLocal, exchange)
            throw Problem(refusal)
        case .outdated(let generation):
            guard try await keys.confirm(arrival, by: .generation(generation)) else {
                throw Problem.invalidKey
            }
        case .unfunded(let shortage):
            try await confirm(arrival, by: .unavailable)
            guard let payment = reservation.payment else { preconditionFailure("nothing was to be paid") }
            throw payment.problem(shortage, at: time.timestamp())
        }
    }

    /// Tells the client how much is left, and who says so.
    func tell(_ standing: Standing, isLocal: Bool, _ exchange: Exchange) {
        RateFields.append(standing, to: &exchange.responseFields, now: time.timestamp(), exchange)
        if isLocal { exchange.responseFields.append("X-Hivegate-Degraded", "redis") }
    }

    /// Lets a conversation in.
    @inline(never)
    func enter(
        _ arrival: Arrival, with call: ChatCall, _ candidates: [Candidate], after trip: FirstTrip? = nil
    ) async throws -> Entry? {
        let others =
            call.cache?.decision.mayLookUp ?? false
            ? call.cache.map { [$0.place.get] } ?? [] : []
        let reservation = try reservation(for: call, of: arrival, candidates)
        let entry = try await enter(
            arrival, reservation, beside: others, call.exchange,
            after: trip?.take(for: reservation.request, call.cache?.place))
        guard let entry else { return nil }
        do { try reservation.limitAnswer() } catch {
            gatekeeper.settle(entry.permit, tokens: 0)
            throw error
        }
        return entry
    }

    @inline(never)
    private func reservation(
        for call: ChatCall, of arrival: Arrival, _ candidates: [Candidate]
    ) throws(Problem) -> Reservation {
        let (subjects, calendar) = try subjects.subjects(
            of: arrival.caller, asking: candidates[0].id, in: .chat)
        let request = AdmissionRequest(subjects, generation: arrival.generation, calendar: calendar)
        let payment = try payment(for: call, by: candidates)
        let isHeld = payment?.hold != nil
        if isHeld { request.note = holdNote(arrival.caller, asking: call.outline.model, call.exchange) }
        if !isHeld, !subjects.limitsTokens { return Reservation(request, payment) }
        return try ConversationReservation(
            request, payment, of: call, asking: candidates[0], tokenBound, gatekeeper)
    }

    private func confirm(_ arrival: Arrival, by generation: Permit.Generation) async throws {
        let reading: KeyGenerations.Reading =
            switch generation {
            case .current: .generation(arrival.generation)
            case .unknown: .none
            case .unavailable: .unavailable
            }
        guard try await keys.confirm(arrival, by: reading) else { throw Problem.invalidKey }
        try Self.demand(.inference, of: arrival.caller)
    }

    /// What is wrong with a request is told only to those whose key still holds.
    func confirmBeforeRefusing(_ arrival: Arrival) async throws {
        if arrival.isConfirmed { return }
        guard try await keys.confirm(arrival) else { throw Problem.invalidKey }
        try Self.demand(.inference, of: arrival.caller)
    }

    /// Whether the caller is another than was thought, so that what is wrong with the request may be nothing.
    func isOutdated(_ arrival: Arrival) async throws -> Bool {
        let caller = arrival.caller
        try await confirmBeforeRefusing(arrival)
        return arrival.caller != caller
    }

    /// Lets a request in that asks for nothing but a model; who may answer it, and that it may go on.
    func admitted(
        _ arrival: Arrival, asking model: String, _ wishes: RouteWishes, in group: EndpointGroup,
        priced need: PriceNeed, tokens: (Candidate) -> Int64 = { _ in 0 }, tags: () -> [UInt8]? = { nil },
        most: ([Candidate]) -> Int64? = { _ in 0 }, _ exchange: Exchange
    ) async throws -> (candidates: [Candidate], entry: Entry) {
        while true {
            let candidates: [Candidate]
            do {
                candidates = try await self.candidates(for: model, wishes, arrival.caller, priced: need)
            } catch {
                guard try await isOutdated(arrival) else { throw error }
                continue
            }
            let (subjects, calendar) = try subjects.subjects(
                of: arrival.caller, asking: candidates[0].id, in: group)
            let request = AdmissionRequest(
                subjects, generation: arrival.generation,
                tokens: subjects.limitsTokens ? tokens(candidates[0]) : 0, calendar: calendar)
            let payment = try payment(of: arrival.caller, to: candidates, in: group, tags: tags, most: most)
            if payment?.hold != nil { request.note = holdNote(arrival.caller, asking: model, exchange) }
            if let entry = try await enter(arrival, Reservation(request, payment), exchange) {
                return (candidates, entry)
            }
        }
    }
}
