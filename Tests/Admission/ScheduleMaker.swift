import Base

/// Makes a schedule up, and says what the reference makes of it. What is likely to go wrong is likely to come: counts at
/// the edge of a limit, times at the edge of a bucket, clocks that are set back.
struct ScheduleMaker {
    private(set) var steps: [Step] = []
    private(set) var answers: [[Int64]] = []
    private(set) var model = ReferenceModel()

    private var random: SeededGenerator
    private let scale: Scale
    private var subjects: [(field: String, limits: [Int64?])] = []
    private var slots: [(field: String, limit: Int64)] = []
    /// Names of limits, as long as they are.
    private var wallets: [String] = []
    private var fundings: [Step.Funding] = []
    private let hasCalendar: Bool
    private let hasGeneration: Bool
    /// Little but money, and a Redis that forgets.
    private let isOfMoney: Bool
    /// In milliseconds.
    private var now: Int64
    private var admitted: [(admission: Step.Admission, time: Int64)] = []
    private var lastNumber: Int64 = 0

    private enum Scale: CaseIterable {
        case small, middling, large

        var limits: ClosedRange<Int64> {
            switch self {
            case .small: 0...5
            case .middling: 6...300
            // Up to here the arithmetic is exact.
            case .large: 99_999_999_990...100_000_000_000
            }
        }
    }

    /// Thirty days each, and not from midnight.
    private static let lengthOfMonth = 30 * Window.day
    private static let startOfMonths: Int64 = 5_400_000

    init(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        scale = Scale.allCases.randomElement(using: &random) ?? .small
        hasCalendar = Int.random(in: 0..<4, using: &random) > 0
        hasGeneration = Int.random(in: 0..<3, using: &random) == 0
        isOfMoney = Int.random(in: 0..<8, using: &random) == 0
        now = Int64.random(in: 19_000...21_000, using: &random) * Window.day
        self.random = random
        makeSubjects()
        passTime()
        for _ in 0..<Int.random(in: 2...(isOfMoney ? 20 : 10), using: &self.random) {
            if isOfMoney { makeStepOfMoney() } else { makeStep() }
        }
    }

    var outcome: Rehearsal.Outcome { Rehearsal.Outcome(answers, model) }

    // MARK: Whom

    private mutating func makeSubjects() {
        if isOfMoney {
            if chance(2) { subjects = [("o", limits(of: .large))] }
            wallets = Array(Self.wallets.prefix(chance(2) ? 1 : 2))
            return
        }
        for field in ["o", "u1", "k1", "m1"].prefix(Int.random(in: 1...4, using: &random)) {
            subjects.append((field, limits(of: scale)))
        }
        // One in the middle refuses before the others do.
        if chance(4), subjects.count > 2 { subjects[1].limits = limits(of: .small) }
        if chance(2) {
            for field in subjects.map({ "c" + $0.field }) where chance(2) {
                slots.append((field, Int64.random(in: 0...4, using: &random)))
            }
        }
        if chance(3) { wallets = Array(Self.wallets.prefix(chance(2) ? 1 : 2)) }
    }

    private static let wallets = ["wallet0000000001", "budget0000000002"]

    private mutating func limits(of scale: Scale) -> [Int64?] {
        (0..<8).map { place in
            // Where there is no calendar no month is limited, as a rule.
            if place % 4 == 3, !hasCalendar, !chance(16) { return nil }
            return chance(3) ? Int64.random(in: scale.limits, using: &random) : nil
        }
    }

    // MARK: When

    private mutating func passTime() {
        let edge = Int64.random(in: -1...1, using: &random)
        switch Int.random(in: 0..<24, using: &random) {
        case 0..<7: now += Int64.random(in: 0...2, using: &random)
        case 7..<10: now += Int64.random(in: 0..<60_000, using: &random)
        case 10..<13: now = (now / 60_000 + 1) * 60_000 + edge
        case 13: now = (now / 60_000 + 2) * 60_000 + edge
        case 14: now = (now / Window.hour + Int64.random(in: 1...2, using: &random)) * Window.hour + edge
        case 15: now = (now / Window.day + Int64.random(in: 1...2, using: &random)) * Window.day + edge
        case 16: now = Self.month(at: now).end + edge
        case 17: now += Int64.random(in: 1...3 * 60_000, using: &random)
        case 18: now += Int64.random(in: 1...3 * Window.hour, using: &random)
        case 19: now += Int64.random(in: 1...3 * Window.day, using: &random)
        case 20: now += Int64.random(in: 1...3 * Self.lengthOfMonth, using: &random)
        case 21: now -= Int64.random(in: 1...100, using: &random)
        case 22: now = now / 60_000 * 60_000 - 1
        default:
            let furthest: [Int64] = [2 * 60_000, 2 * Window.hour, 2 * Window.day, Self.lengthOfMonth]
            now -= Int64.random(in: 1...(furthest.randomElement(using: &random) ?? 1), using: &random)
        }
    }

    static func month(at time: Int64) -> Step.Month {
        let index = (time - startOfMonths) / lengthOfMonth
        let start = index * lengthOfMonth + startOfMonths
        return Step.Month(index: index, start: start, end: start + lengthOfMonth)
    }

    // MARK: What

    private mutating func makeStep() {
        if chance(2) { passTime() }
        // A month that is not known is told next, as a rule.
        if answers.last?.count == 3, answers.last?.first == ReferenceModel.Code.monthUnknown.rawValue,
            !chance(8)
        {
            return play(.seed(seeding()))
        }
        switch Int.random(in: 0..<24, using: &random) {
        case 0..<5 where !admitted.isEmpty: play(.settle(settlement()))
        case 5 where hasGeneration:
            play(.know(generation: Int64.random(in: 4...6, using: &random), purges: chance(2) ? 7 : nil))
        case 6: play(.seed(seeding()))
        case 7,
            8 where !wallets.isEmpty:
            fund()
        case 9 where !slots.isEmpty: play(.renew(renewal()))
        case 10 where !wallets.isEmpty && chance(2): fail()
        default: admit()
        }
    }

    private mutating func makeStepOfMoney() {
        now += Int64.random(in: 0...2, using: &random)
        switch Int.random(in: 0..<12, using: &random) {
        case 0..<3: fund()
        case 3..<6 where !admitted.isEmpty: play(.settle(settlement()))
        case 6..<8: fail()
        default: admit()
        }
    }

    /// What Redis must get over.
    private mutating func fail() {
        switch Int.random(in: 0..<8, using: &random) {
        case 0..<3: play(.keep)
        case 3: play(.flush)
        default: play(.restart(run: model.money.run + (chance(8) ? 0 : 1), withWhatWasKept: chance(2)))
        }
    }

    private mutating func admit() {
        var admission = Step.Admission()
        admission.windows = chance(8) ? subjects.filter { _ in chance(2) } : subjects
        admission.slots = slots
        admission.worker = Int64.random(in: 1...3, using: &random)
        admission.lease = [1, 1000, 30_000, 60_000].randomElement(using: &random) ?? 1
        if hasCalendar {
            // Whose clock is wrong may take another month for this one.
            let isWrong = chance(32)
            admission.month = Self.month(at: isWrong ? now + (chance(2) ? Self.lengthOfMonth : -1) : now)
        }
        if hasGeneration, !chance(4) { admission.generation = Int64.random(in: 4...6, using: &random) }
        if chance(6) { admission.deadline = now + Int64.random(in: -1...1, using: &random) }
        admission.weight = amount(admission, places: 0..<4, usual: 1)
        if chance(2) { admission.tokens = amount(admission, places: 4..<8, usual: 3) }
        if scale != .large, chance(16) { force(&admission) }
        if !admission.isForced, isOfMoney || chance(2) {
            admission.money = wallets.map { ("b" + $0, Int64.random(in: 0...50, using: &random)) }
            lastNumber += 1
            admission.hold = "h\(lastNumber)"
        }
        play(.admit(admission))
        let code = answers.last?.first
        if code == 1 || code == 2 { admitted.append((admission, now)) }
    }

    /// Asks for all subjects, in their months and with nothing but their windows.
    mutating func admitWindowsOnly() {
        var admission = Step.Admission()
        admission.windows = subjects
        if hasCalendar {
            play(.seed(seeding()))
            admission.month = Self.month(at: now)
        }
        admission.weight = amount(admission, places: 0..<4, usual: 2)
        admission.tokens = amount(admission, places: 4..<8, usual: 2)
        play(.admit(admission))
    }

    private mutating func force(_ admission: inout Step.Admission) {
        admission.isForced = true
        admission.slots = []
        admission.deadline = 0
        admission.generation = nil
        admission.month?.start = 0
        admission.month?.end = 1_000_000_000_000_000
        admission.weight = Int64.random(in: 0...3, using: &random)
        admission.tokens = Int64.random(in: 0...3, using: &random)
    }

    /// As much as still fits under one of the limits, or one more; or something else.
    private mutating func amount(_ admission: Step.Admission, places: Range<Int>, usual: Int64) -> Int64 {
        if chance(2), let subject = admission.windows.randomElement(using: &random) {
            var counts = model.counts[subject.field] ?? Counts()
            counts.move(to: now, month: admission.month?.index ?? 0)
            let rooms = places.compactMap { place in
                subject.limits[place].map { counts.room(place, under: $0) }
            }
            if let room = rooms.randomElement(using: &random) {
                let amount = room + Int64.random(in: -1...1, using: &random)
                if amount >= 0 { return chance(3) ? amount / 2 : amount }
            }
        }
        return Int64.random(in: 0...usual, using: &random)
    }

    private mutating func settlement() -> Step.Settlement {
        let place = Int.random(in: 0..<admitted.count, using: &random)
        let (admission, time) = admitted[place]
        // As a rule only once.
        if !chance(8) { admitted.remove(at: place) }
        let most = scale == .large ? 0 : 5 as Int64
        let difference = chance(3) ? 0 : Int64.random(in: -admission.tokens...most, using: &random)
        return Step.Settlement(
            admittedAt: time, difference: difference, month: admission.month?.index,
            worker: admission.worker, windows: difference == 0 ? [] : admission.windows.map(\.field),
            slots: admission.slots.map(\.field),
            money: admission.money.map(\.field), hold: admission.hold,
            costs: admission.money.map { _ in Int64.random(in: 0...60, using: &random) },
            entry: chance(3) ? nil : Int64.random(in: 0...1_000_000, using: &random),
            isRepeated: !admission.money.isEmpty && chance(3))
    }

    private mutating func seeding() -> Step.Seeding {
        Step.Seeding(
            month: Self.month(at: now).index,
            subjects: subjects.map { field, limits in
                let most = max(limits[3] ?? 0, limits[7] ?? 0)
                return (
                    field, Int64.random(in: 0...most, using: &random),
                    Int64.random(in: 0...most, using: &random)
                )
            })
    }

    private mutating func fund() {
        if let last = fundings.randomElement(using: &random), chance(4) {
            var again = last
            again.isRepeated = !chance(4)
            return play(.fund(again))
        }
        let grants = wallets.filter { _ in wallets.count == 1 || !chance(4) }.map { limit in
            lastNumber += 1
            return (limit, lastNumber, Int64.random(in: 0...200, using: &random))
        }
        let issuedAt = now - (chance(2) ? 0 : Int64.random(in: 0...2000, using: &random))
        let memory: Int64 = chance(4) ? 1000 : 120_000
        let funding = Step.Funding(
            run: model.money.run - (chance(8) ? 1 : 0), issuedAt: issuedAt,
            latest: issuedAt + (chance(2) ? 1000 : 60_000), memory: memory, most: chance(3) ? 2 : 100,
            grants: grants)
        fundings.append(funding)
        play(.fund(funding))
    }

    private mutating func renewal() -> Step.Renewal {
        Step.Renewal(
            worker: Int64.random(in: 1...3, using: &random), lease: 30_000,
            slots: slots.map {
                ($0.field, Int64.random(in: 0...3, using: &random), Int64.random(in: 0...2, using: &random))
            })
    }

    private mutating func play(_ call: Step.Call) {
        let step = Step(
            time: now * 1000 + Int64.random(in: 0...999, using: &random), life: Int64(1 + steps.count) * 1000,
            call: call)
        steps.append(step)
        answers.append(model.play(step))
    }

    private mutating func chance(_ times: Int) -> Bool { Int.random(in: 0..<times, using: &random) == 0 }
}
