/// The rules of admission, said as plainly as possible: what the functions in Redis are held to.
///
/// Counts stand under the number of their minute, hour or day, and a share of one is a fraction of whole numbers.
struct ReferenceModel {
    private(set) var generation: Int64?
    private(set) var purges: Int64?
    private(set) var counts: [String: Counts] = [:]
    /// Requests under way, by slot and worker.
    private(set) var underway: [String: [Int64: Underway]] = [:]
    var money = ReferenceMoney()
    private(set) var journal: Set<Int64> = []
    /// What was written down, once at most.
    private var kept: [ReferenceModel] = []
    /// In how many seconds all of it goes when nobody comes; 0: never.
    private(set) var life: Int64 = 0

    struct Underway: Equatable {
        var number: Int64
        var until: Int64
    }

    enum Code: Int64 {
        case late = 0
        case admitted, admittedUnknown, windowFull, slotsFull, outdated, monthUnknown, otherMonth, notFunded
    }

    /// What the function answers: numbers.
    mutating func play(_ step: Step) -> [Int64] {
        let now = step.time / 1000
        switch step.call {
        case .admit(let admission): return admit(admission, at: now, step.life)
        case .settle(let settlement): return [settle(settlement, at: now) ? 1 : 0]
        case .renew(let renewal):
            renew(renewal, at: now, step.life)
            return [1]
        case .seed(let seeding):
            seed(seeding, step.life)
            return [1]
        case .fund(let funding):
            let answer = money.fund(funding, at: now)
            if !fields.isEmpty { life = step.life }
            return answer
        case .know(let generation, let purges):
            self.generation = generation
            self.purges = purges ?? self.purges
            return [1]
        case .keep:
            kept = [self]
            return [1]
        case .flush:
            forget(for: ReferenceModel())
            return [1]
        case .restart(let run, let withWhatWasKept):
            if withWhatWasKept { forget(for: kept.first ?? ReferenceModel()) }
            money.run = run
            return [1]
        }
    }

    private mutating func forget(for other: ReferenceModel) {
        let (run, kept) = (money.run, kept)
        self = other
        self.money.run = run
        self.kept = kept
    }

    // MARK: May it?

    private mutating func admit(_ request: Step.Admission, at now: Int64, _ life: Int64) -> [Int64] {
        func answer(_ code: Code, _ detail: Int64) -> [Int64] { [code.rawValue, now, detail] }
        if let generation, let own = request.generation, generation > own {
            return answer(.outdated, generation)
        }
        if request.deadline > 0, now > request.deadline { return answer(.late, 0) }
        if let month = request.month, now < month.start || now >= month.end { return answer(.otherMonth, 0) }
        // All is tried on a copy: who is refused has changed nothing.
        var after = self
        for (number, subject) in zip(Int64(1)..., request.windows) {
            let known = counts[subject.field]
            var state = known ?? Counts()
            let isOlder = known != nil && state.writtenAt / Window.hour < now / Window.hour
            state.move(to: now, month: request.month?.index ?? 0)
            if state.month == 0, !request.isForced {
                if subject.limits[3] != nil || subject.limits[7] != nil {
                    return answer(.monthUnknown, number)
                }
                state.month = request.month?.index ?? 0
            }
            if !request.isForced, !state.takes(request.weight, request.tokens, under: subject.limits) {
                // Who was counted at a time that has not come yet is counted as of now.
                if let known, known.writtenAt / Window.minute > now / Window.minute {
                    counts[subject.field]?.move(to: now, month: 0)
                }
                return answer(.windowFull, number) + request.windows.flatMap { states($0.field) }
            }
            state.count(request.weight, request.tokens)
            after.counts[subject.field] = state
            if known == nil || isOlder { after.life = life }
        }
        for (number, slot) in zip(Int64(1)..., request.slots) {
            let present = (underway[slot.field] ?? [:]).filter { $0.value.until > now }
            if present.values.reduce(0, { $0 + $1.number }) >= slot.limit {
                return answer(.slotsFull, number)
            }
            after.underway[slot.field] = present
            after.underway[slot.field]?[request.worker] = Underway(
                number: (present[request.worker]?.number ?? 0) + 1, until: now + request.lease)
        }
        if let shortage = money.shortage(of: request.money) {
            return answer(.notFunded, money.run) + shortage
        }
        if !request.money.isEmpty { after.money.hold(request.money, as: request.hold, at: now) }
        // Without windows there is no telling when an hour has gone.
        if request.windows.isEmpty, !(request.slots.isEmpty && request.money.isEmpty) { after.life = life }
        self = after
        let isKnown = request.generation == nil || request.generation == generation
        return answer(isKnown ? .admitted : .admittedUnknown, purges ?? 0)
            + request.windows.flatMap { states($0.field) }
    }

    private func states(_ field: String) -> [Int64] { (counts[field] ?? Counts()).numbers }

    // MARK: What came of it

    /// Says whether the hold was there.
    private mutating func settle(_ settlement: Step.Settlement, at now: Int64) -> Bool {
        let isHeld = settlement.money.isEmpty || money.settle(settlement)
        if let entry = settlement.entry { journal.insert(entry) }
        // What was settled before is left alone. Where it was lost, and perhaps corrected, the entry alone is safe.
        if settlement.isRepeated, !isHeld { return false }
        for field in settlement.windows {
            counts[field]?.correct(
                settlement.difference, admittedAt: settlement.admittedAt, in: settlement.month)
        }
        for field in settlement.slots {
            guard let all = underway[field] else { continue }
            var present = all.filter { $0.value.until > now }
            present[settlement.worker]?.number -= 1
            if present[settlement.worker]?.number ?? 0 <= 0 { present[settlement.worker] = nil }
            underway[field] = present
        }
        return isHeld
    }

    /// Redis believes what it has counted itself, as far as the worker can have as many.
    private mutating func renew(_ renewal: Step.Renewal, at now: Int64, _ life: Int64) {
        for slot in renewal.slots {
            var present = (underway[slot.field] ?? [:]).filter { $0.value.until > now }
            let known = present[renewal.worker]?.number ?? 0
            let number = max(slot.answered, min(known, slot.answered + slot.asked))
            present[renewal.worker] =
                number == 0 ? nil : Underway(number: number, until: now + renewal.lease)
            underway[slot.field] = present
            self.life = life
        }
    }

    private mutating func seed(_ seeding: Step.Seeding, _ life: Int64) {
        for subject in seeding.subjects where (counts[subject.field]?.month ?? 0) == 0 {
            counts[subject.field, default: Counts()].month = seeding.month
            counts[subject.field]?.ofMonth = [subject.requests, subject.tokens]
        }
        if !seeding.subjects.isEmpty { self.life = life }
    }
}

// MARK: - What is left of it
extension ReferenceModel {
    /// All that Redis keeps, by field.
    var fields: [String: [Int64]] {
        var fields = counts.mapValues(\.numbers)
        for (field, workers) in underway {
            fields[field] = workers.sorted { $0.key < $1.key }
                .flatMap { [$0.key, $0.value.number, $0.value.until] }
        }
        fields.merge(money.fields) { one, _ in one }
        if let generation { fields["g"] = [generation] }
        if let purges { fields["x"] = [purges] }
        return fields
    }
}
