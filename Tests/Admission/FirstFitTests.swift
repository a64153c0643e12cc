import Base
import Loop
import Redis
import TestKit
import Testing

@testable import Admission

/// What a client is told of its limits, held to what Redis does then.
struct FirstFitTests {
    /// Schedules, each ended by requests that tell where the limits are.
    private static let count = 4000
    private static let batchSize = 100

    /// A schedule that ended with a refusal for windows, and what the refusal says.
    private struct Refused {
        var steps: [Step]
        var admission: Step.Admission
        var refusal: Refusal
        var now: Int64
    }

    @Test func `who waits as long as it is told is admitted, and who comes a millisecond earlier is not`()
        async throws
    {
        let seed = seed()
        try await withRedis { _, client in
            let rehearsal = Rehearsal(client)
            var (waited, never) = (0, 0)
            for start in stride(from: 0, to: Self.count, by: Self.batchSize) {
                let refused = (start..<start + Self.batchSize).compactMap { number in
                    Self.refused(from: seed &+ UInt64(number), client)
                }
                let outcomes = try await rehearsal.play(refused.map(Self.trials))
                for (refused, outcome) in zip(refused, outcomes) {
                    let codes = outcome.answers.suffix(2).map(Self.code)
                    if refused.refusal.wait == nil {
                        never += 1
                        // Not even with nothing used at all.
                        #expect(codes == [3, 3], "seed \(seed): \(refused)")
                    } else {
                        waited += 1
                        #expect(codes == [3, 1], "seed \(seed): \(refused)")
                    }
                }
            }
            #expect(waited > Self.count / 10 && never > Self.count / 40, "seed \(seed)")
        }
    }

    @Test func `as much as is said to remain is admitted, and no more, and all when all is said to be there`()
        async throws
    {
        let seed = seed()
        try await withRedis { _, client in
            let rehearsal = Rehearsal(client)
            var generator = SeededGenerator(seed: seed)
            var (filled, cleared) = (0, 0)
            for start in stride(from: 0, to: Self.count, by: Self.batchSize) {
                let probes = (start..<start + Self.batchSize).compactMap { number in
                    Self.probe(from: seed &+ UInt64(number), client, &generator)
                }
                let outcomes = try await rehearsal.play(probes.map(\.steps))
                for (probe, outcome) in zip(probes, outcomes) {
                    let codes = outcome.answers.suffix(probe.codes.count).map(Self.code)
                    #expect(codes == probe.codes, "seed \(seed): \(probe)")
                    filled += 1
                    if probe.codes.count == 4 { cleared += 1 }
                }
            }
            #expect(filled > Self.count / 4 && cleared > Self.count / 20, "seed \(seed)")
        }
    }

    @Test func `a clock that was a day ahead blocks nobody for a day`() async throws {
        try await withRedis { _, client in
            var admission = Step.Admission()
            admission.windows = [("o", [1, nil, nil, nil, nil, nil, nil, nil])]
            let now = 20_000 * Window.day
            let times = [now + Window.day, now, now + 3 * Window.minute]
            let steps = times.map { Step(time: $0 * 1000, life: 1000, call: .admit(admission)) }
            let outcome = try await Rehearsal(client).play([steps])[0]
            #expect(outcome.answers.map(Self.code) == [1, 3, 1])
        }
    }

    private static func code(_ answer: Rehearsal.Outcome.Answer) -> Int64 {
        if case .numbers(let numbers) = answer { numbers[0] } else { -1 }
    }

    // MARK: Waiting

    private static func refused(from seed: UInt64, _ client: RedisClient) -> Refused? {
        var maker = ScheduleMaker(seed: seed)
        maker.admitWindowsOnly()
        guard let last = maker.steps.last, case .admit(let admission) = last.call,
            maker.answers.last?.first == ReferenceModel.Code.windowFull.rawValue
        else { return nil }
        let now = last.time / 1000
        let (gatekeeper, list) = subjects(of: admission, maker.model, client)
        let request = AdmissionRequest(list, generation: nil, tokens: admission.tokens)
        request.weight = admission.weight
        let month = admission.month.map { Month(index: $0.index, start: $0.start, end: $0.end) }
        // Whatever the state is, it says something.
        let refusal = gatekeeper.refusal(request, at: now, in: month)
        guard isForetellable(admission, maker.model, at: now) else { return nil }
        return Refused(steps: maker.steps, admission: admission, refusal: refusal, now: now)
    }

    /// Where the clock was set back, or months are limited and none is known, nobody can say.
    private static func isForetellable(
        _ admission: Step.Admission, _ model: ReferenceModel, at now: Int64
    ) -> Bool {
        admission.windows.allSatisfy { window in
            let counts = model.counts[window.field] ?? Counts()
            if admission.month == nil, window.limits[3] != nil || window.limits[7] != nil { return false }
            return counts.writtenAt <= now && counts.month <= ScheduleMaker.month(at: now).index
        }
    }

    /// The same again a millisecond too early, and in time; or, where it is said that it never passes, in a year.
    private static func trials(_ refused: Refused) -> [Step] {
        guard let wait = refused.refusal.wait else {
            let year = refused.now + 366 * Window.day
            return refused.steps + [year, year + 1].map { step(refused.admission, at: $0) }
        }
        let fit = refused.now + wait.milliseconds
        return refused.steps + [fit - 1, fit].map { step(refused.admission, at: $0) }
    }

    private static func step(_ admission: Step.Admission, at time: Int64) -> Step {
        var admission = admission
        if admission.month != nil { admission.month = ScheduleMaker.month(at: time) }
        return Step(time: time * 1000, life: 1000, call: .admit(admission))
    }

    /// As a loop remembers them that has just heard of them.
    private static func subjects(
        of admission: Step.Admission, _ model: ReferenceModel, _ client: RedisClient
    ) -> (Gatekeeper, SubjectList) {
        let gatekeeper = Gatekeeper(client)
        let names = admission.windows.map { Subject.Name.model($0.field) }
        let list = gatekeeper.subjects(
            zip(names, admission.windows).map { ($0, Limits($1.limits)) },
            at: .organization(UUID(high: 0, low: 1)))
        for (name, window) in zip(names, admission.windows) {
            guard let counts = model.counts[window.field] else { continue }
            pack(counts.numbers).withUnsafeBytes { bytes in
                list.windowed.first { $0.name == name }?.memory.state = WindowState(bytes)
            }
        }
        return (gatekeeper, list)
    }

    // MARK: What is left

    private struct Probe {
        var steps: [Step]
        var codes: [Int64]
        var window: Standing.Window
    }

    /// One more than remains, and what remains; and as much as the limit at the time when all is there, and before.
    private static func probe(
        from seed: UInt64, _ client: RedisClient, _ generator: inout SeededGenerator
    ) -> Probe? {
        var maker = ScheduleMaker(seed: seed)
        maker.admitWindowsOnly()
        guard let last = maker.steps.last, case .admit(var admission) = last.call,
            let subject = admission.windows.randomElement(using: &generator),
            let place = subject.limits.indices.filter({ subject.limits[$0] != nil })
                .randomElement(using: &generator)
        else { return nil }
        // Of one limit alone: others would refuse as well.
        var limits = [Int64?](repeating: nil, count: 8)
        limits[place] = subject.limits[place]
        admission.windows = [(subject.field, limits)]
        let now = last.time / 1000
        let month = ScheduleMaker.month(at: now)
        admission.month = month
        guard isForetellable(admission, maker.model, at: now) else { return nil }
        // A month that is not known is none of which anything remains.
        guard place % 4 != 3 || maker.model.counts[subject.field]?.month ?? 0 > 0 else { return nil }
        let (_, list) = subjects(of: admission, maker.model, client)
        let standing = Standing(
            of: list, at: now, in: Month(index: month.index, start: month.start, end: month.end))
        guard let window = place < 4 ? standing.requests : standing.tokens else { return nil }

        func ask(_ amount: Int, at time: Int64) -> Step {
            var admission = admission
            admission.weight = place < 4 ? Int64(amount) : 0
            admission.tokens = place < 4 ? 0 : Int64(amount)
            return step(admission, at: time)
        }
        let clear = now + window.reset
        var steps = [ask(window.remaining + 1, at: now)]
        var codes: [Int64] = [3]
        if window.reset > 0, window.limit > 0, Bool.random(using: &generator) {
            steps += [ask(window.limit, at: clear - 1), ask(window.limit, at: clear), ask(1, at: clear)]
            codes += [3, 1, 3]
        } else if window.remaining > 0 || window.reset == 0 {
            steps.append(ask(window.remaining, at: now))
            codes.append(1)
        }
        return Probe(steps: maker.steps + steps, codes: codes, window: window)
    }
}

extension Limits {
    fileprivate init(_ limits: [Int64?]) {
        self.init()
        let numbers = limits.map { $0.map(Int.init) }
        requests = Windows(minute: numbers[0], hour: numbers[1], day: numbers[2], month: numbers[3])
        tokens = Windows(minute: numbers[4], hour: numbers[5], day: numbers[6], month: numbers[7])
    }
}
