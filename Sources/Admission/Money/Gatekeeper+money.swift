import Base
import Loop
import Redis

/// Requests that are paid for.
///
/// Redis holds the worst case of each on all limits at once, from slices that the database has granted. Where a slice is
/// too small the database is asked for more, by one for all who wait for it, and then Redis again.
extension Gatekeeper {
    typealias Answer = (verdict: Verdict, values: ArraySlice<RedisValue>)

    /// How often Redis and the database are asked before others are believed to be faster.
    private static let mostRounds = 8

    private static let pauseBeforeSpent = Duration.milliseconds(20)

    func admitPaid(_ request: AdmissionRequest, beside others: [RedisCommand]) async -> Answer {
        guard let need = request.money, let first = need.limits.first else {
            request.money = nil
            return await admit(request, beside: others)
        }
        guard case .organization(let organization) = request.subjects.place else {
            preconditionFailure("who is not known has no money")
        }
        request.money?.nanodollars = max(0, need.nanodollars)
        request.hold = makeHold(request.note)
        guard need.nanodollars <= MoneyNeed.largest else {
            return (unfunded(Shortage(first, .neverFits, affordable: 0)), [])
        }
        let reply = await askPaid(request, beside: others)
        if case .decided(let answer) = reply { return answer }
        return await admit(request, need, of: organization, beside: others, after: reply)
    }

    // What is seldom needed takes no room of every request.
    @inline(never)
    private func admit(
        _ request: AdmissionRequest, _ need: MoneyNeed, of organization: UUID,
        beside others: [RedisCommand], after first: Reply
    ) async -> Answer {
        var hoped: [MoneyLimit] = []
        defer { treasury?.hope(for: hoped, -need.nanodollars) }
        // What the database has just said of limits.
        var rooms: [UUID: LimitRoom] = [:]
        var hasLookedAgain = false
        var last: (slices: MoneySlices, values: ArraySlice<RedisValue>)?
        for round in 0..<Self.mostRounds {
            let short: (slices: MoneySlices, values: ArraySlice<RedisValue>)
            switch round == 0 ? first : await askPaid(request, beside: others) {
            case .decided(let answer): return answer
            case .away: return (await admitDirectly(request, need, of: organization), [])
            case .short(let slices, let values): short = (slices, values)
            }
            last = short
            let lacking = zip(need.limits, short.slices.slices).filter { $1.left < need.nanodollars }
                .map(\.0)
            let known = need.limits.map { rooms[$0.id] }
            if let shortage = Shortage.certain(need, known, short.slices) {
                // What another loop was granted may be between the database and Redis.
                if shortage.reason == .spent, !hasLookedAgain, known.contains(where: { $0?.isFresh == true })
                {
                    hasLookedAgain = true
                    try? await redis.loop.sleep(for: Self.pauseBeforeSpent)
                    continue
                }
                return (unfunded(shortage), short.values)
            }
            guard let treasury, treasury.mayAsk else {
                return (unfunded(unavailable(need, short.slices)), short.values)
            }
            if hoped.isEmpty {
                hoped = lacking
                treasury.hope(for: hoped, need.nanodollars)
            }
            guard let said = await funding(of: lacking, need, short.slices, treasury, in: organization) else {
                return (unfunded(unavailable(need, short.slices)), short.values)
            }
            // Redis is asked again also where that is too little: what was lacking before may be there by now.
            rooms = said
        }
        let shortage = Shortage(
            need.limits, need: need.nanodollars, need.limits.map { _ in nil }, last?.slices.slices)
        return (unfunded(shortage), last?.values ?? [])
    }

    /// What the database has of limits, when it has granted what it could; nil where it does not answer.
    private func funding(
        of limits: [MoneyLimit], _ need: MoneyNeed, _ short: MoneySlices, _ treasury: Treasury,
        in organization: UUID
    ) async -> [UUID: LimitRoom]? {
        if let funding = treasury.funding(of: limits) {
            return await treasury.wait(for: funding) ? funding.rooms : nil
        }
        let funding = treasury.begin(limits)
        // In a task of its own: others wait for it, so that it does not end with this request.
        let task = Task(executorPreference: redis.loop) { [self] in
            let answer = await fund(limits, need, short, treasury, of: organization)
            treasury.end(funding, limits, answer)
        }
        await task.value
        return funding.rooms
    }

    func unfunded(_ shortage: Shortage, isLocal: Bool = false) -> Verdict {
        let verdict = Verdict.unfunded(shortage)
        note(verdict, isLocal: isLocal)
        return verdict
    }

    /// Nobody but Redis can say what there is.
    private func unavailable(_ need: MoneyNeed, _ slices: MoneySlices) -> Shortage {
        let lefts = zip(need.limits, slices.slices.map(\.left))
        let least = lefts.min { $0.1 < $1.1 } ?? (need.limits[0], 0)
        return Shortage(least.0, .unavailable, affordable: max(0, least.1))
    }

    // MARK: Redis

    private enum Reply {
        case decided(Answer)
        case short(MoneySlices, ArraySlice<RedisValue>)
        /// Redis has not decided, and if it did after all, that is undone when it is back.
        case away
    }

    private func askPaid(_ request: AdmissionRequest, beside others: [RedisCommand]) async -> Reply {
        guard mayAsk else { return .away }
        payDebts()
        for subject in request.subjects.slotted { subject.memory.asked += 1 }
        defer { for subject in request.subjects.slotted { subject.memory.asked -= 1 } }
        for attempt in 0...Self.mostRepetitions {
            let command = command(for: request)
            let result = await attempt == 0 ? ask(command, others) : askWithLibrary([command] + others)
            switch result {
            case .failure(let error):
                noteFailure(error, request)
                if error.mayHaveExecuted { release(request) }
                return .away
            case .success(let values):
                let rest = values.dropFirst()
                if code(of: values[0]) == .notFunded,
                    let slices = MoneySlices(values[0], count: request.money?.limits.count ?? 0)
                {
                    learnTime(slices.time)
                    return .short(slices, rest)
                }
                if let verdict = take(values[0], request) { return .decided((verdict, rest)) }
                if let error = values[0].error, error.kind != .functionNotFound { return .away }
                if code(of: values[0]) == .monthUnknown, !(await seed(request)) { return .away }
            }
        }
        return .away
    }

    private func askWithLibrary(_ commands: [RedisCommand]) async -> Result<[RedisValue], RedisError> {
        do throws(RedisError) {
            return .success(
                try await redis.pipeline(
                    commands, using: AdmissionLibrary.library, timeout: bounds.patience))
        } catch {
            return .failure(error)
        }
    }

    /// What is held for a request that nobody has heard of is let go when Redis is back.
    private func release(_ request: AdmissionRequest) {
        let permit = Permit(request, at: clock.now(time.instant(), time.timestamp()), in: nil, .unavailable)
        let settlement = Settlement(permit, by: 0)
        settlement.money = permit.money
        settlement.isRepeated = true
        keep(settlement)
    }
}

extension Shortage {
    /// Where the database has just said of every limit that lacks something what it has, and that is too little.
    fileprivate static func certain(
        _ need: MoneyNeed, _ rooms: [LimitRoom?], _ slices: MoneySlices
    ) -> Shortage? {
        let isCertain = zip(rooms, slices.slices).contains { room, slice in
            room.map { slice.left < need.nanodollars && $0.room + slice.left < need.nanodollars } ?? false
        }
        return isCertain
            ? Shortage(need.limits, need: need.nanodollars, rooms, slices.slices) : nil
    }
}
