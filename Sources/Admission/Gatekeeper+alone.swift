import Base
import Redis

/// Without Redis.
///
/// Each loop goes on from what Redis said last, and takes it that the others admit as much as it does itself: what it
/// admits counts as often as there are loops. When Redis is back it is told what was admitted meanwhile.
extension Gatekeeper {
    func admitLocally(_ request: AdmissionRequest) -> Verdict {
        let verdict = decideAlone(request)
        note(verdict, isLocal: true)
        return verdict
    }

    /// Why this loop does not let a request in. Changes nothing.
    func refusalAlone(_ request: AdmissionRequest) -> Refusal? {
        let now = clock.now(time.instant(), time.timestamp())
        let month = request.calendar?.month(at: now)
        let share = Int64(workerCount)
        for subject in request.subjects.windowed {
            let memory = subject.memory
            memory.state = memory.state.rolled(to: now, month: month?.index ?? 0)
            if memory.state.month == 0 { memory.state.month = month?.index ?? 0 }
        }
        for subject in request.subjects.windowed {
            for name in LimitName.all {
                guard let limit = subject.limits[name.quantity, name.span] else { continue }
                let amount = name.quantity == .requests ? request.weight : request.tokens
                if !subject.memory.state.takes(
                    amount * share, name.quantity, name.span, under: limit, at: now)
                {
                    return refusal(request, at: now, in: month, isLocal: true)
                }
            }
        }
        for subject in request.subjects.slotted
        where (subject.memory.underway + 1) * workerCount > subject.limits.concurrent ?? 0 {
            return refusal(subject, request, at: now, in: month, isLocal: true)
        }
        return nil
    }

    private func decideAlone(_ request: AdmissionRequest) -> Verdict {
        if let refusal = refusalAlone(request) { return .refused(refusal) }
        let now = clock.now(time.instant(), time.timestamp())
        let month = request.calendar?.month(at: now)
        let share = Int64(workerCount)
        for subject in request.subjects.windowed {
            subject.memory.count(requests: request.weight, tokens: request.tokens, times: share)
            if subject.memory.debt == SubjectMemory.Debt() { debtors.append(subject.memory) }
            subject.memory.debt.requests += request.weight
            subject.memory.debt.tokens += request.tokens
            subject.memory.debt.month = month?.index ?? 0
        }
        noteMonths(of: request.subjects)
        enter(request.subjects)
        return .admitted(Permit(request, at: now, in: month, .unavailable, isLocal: true))
    }

    /// Tells Redis what was admitted here without it. What it does not take is told again; what it may have taken is
    /// not: rather too little than twice.
    func payDebts() {
        if debtors.isEmpty, unsettled.isEmpty { return }
        let debtors = self.debtors.prefix(bounds.arrears)
        self.debtors.removeFirst(debtors.count)
        // Settled behind what it settles, and what cannot be told now is there again at the next time.
        let settlements = unsettled.prefix(bounds.arrears)
        unsettled.removeFirst(settlements.count)
        defer { for settlement in settlements { send(settlement) { _ in } } }
        for memory in debtors {
            let debt = memory.debt
            memory.debt = SubjectMemory.Debt()
            redis.pipeline([command(paying: debt, of: memory)], timeout: bounds.patience) {
                [self] result in
                switch result {
                case .success(let values) where values[0].error?.kind != .functionNotFound: break
                case .failure(let error) where error.mayHaveExecuted: break
                default:
                    if memory.debt == SubjectMemory.Debt() { self.debtors.append(memory) }
                    memory.debt.requests += debt.requests
                    memory.debt.tokens += debt.tokens
                    memory.debt.month = debt.month
                }
            }
        }
    }
}

extension SubjectMemory {
    /// In the present buckets.
    func count(requests: Int64, tokens: Int64, times: Int64) {
        for span in Span.allCases {
            state[.requests, span] += requests * times
            state[.tokens, span] += tokens * times
        }
    }
}
