import Base
import Glibc
import Loop
import Redis
import TestKit
import Testing

@testable import Admission

/// Random schedules, played by the functions in Redis and by a reference: not one difference.
///
/// `FULL=1` plays a million, `SCHEDULES` as many as it says; `SEED` repeats a run.
struct ScheduleTests {
    private static let batchSize = 100

    @Test(.timeLimit(.minutes(60)))
    func `whatever comes, and whenever, the functions in Redis do what the reference does`() async throws {
        let count = Int(setting("SCHEDULES") ?? (setting("FULL") == 1 ? 1_000_000 : 20_000))
        let seed = seed()
        try await withRedis { _, client in
            let run = try await Self.play(count, from: seed, in: Rehearsal(client))
            print("\(count) schedules of \(run.steps) steps from seed \(seed): answers by code \(run.codes)")
            #expect(run.difference == nil)
            guard run.difference == nil else { return }
            // Everything has come, and often.
            for code: Int64 in 0...8 { #expect(run.codes[code, default: 0] > count / 200) }
        }
    }

    @Test(arguments: [
        ("pm * fm > (lrm - rm) * 60000", "pm * fm >= (lrm - rm) * 60000"),
        ("pd * fd > (lrd - rd) * 86400", "pd * (fd - 1) > (lrd - rd) * 86400"),
        ("qh * fh > (lth - th) * 36000", "qh * fh > (lth - rh) * 36000"),
        ("ro > lro", "ro > lro + 1"),
        ("if passed == 1 then ph, qh = rh, th else ph, qh = 0, 0 end", "ph, qh = rh, th"),
        ("if was > 0 and month > was then", "if was > 0 and month ~= was then"),
        ("if deadline > 0 and ms > deadline then", "if deadline > 0 and ms >= deadline then"),
        ("ms < from or ms >= to", "ms < from or ms > to"),
        ("if number + mine >= up", "if number + mine > up"),
        ("elseif om == 1 then qm = qm + tokens end", "else qm = qm + tokens end"),
        ("if was == month then to = to + tokens end", "to = to + tokens"),
        ("if till > ms then mine = number end", "mine = number"),
        ("if left < amount and amount > 0 then isShort = true end", "isShort = left < amount"),
        ("if whose == run then return left", "if whose then return left"),
        ("if up('<d', hold) == run then amount", "if true then amount"),
        ("elseif born > admitted then", "elseif false then"),
        ("up('<d', a[1], 65 + 8 * i), 0", "up('<d', a[1], 73), 0"),
        ("left + amount - cost, held - amount", "left + amount - cost, held"),
        ("local isFirst = not (m > 0 and not hold and isRepeated > 0)", "local isFirst = true"),
        ("if not isFirst then n, c = 0, 0 end", ""),
        ("if whose ~= run then\n", "if whose == 0 then\n"),
        ("ms > latest or #kept", "#kept"),
        ("or #kept >= 24 * most", ""),
        ("isRepeated > 0 and not (isThere and born <= issued)", "isRepeated > 0 and not isThere"),
        ("if was == 0 then\n", "if was >= 0 then\n"),
        ("if turned then isLonger = true end", ""),
    ])
    func `a mistake in the functions is found`(_ right: String, _ wrong: String) async throws {
        try await withRedis { _, client in
            let planted = Rehearsal(client) { source in
                let parts = source.split(separator: right, omittingEmptySubsequences: false)
                #expect(parts.count > 1, "the source has changed")
                return parts.joined(separator: wrong)
            }
            var (seed, isFound) = (UInt64(0), false)
            while !isFound, seed < 40_000 {
                isFound = try await Self.play(1000, from: seed, in: planted).difference != nil
                seed += 1000
            }
            #expect(isFound)
        }
    }

    private struct Run {
        var steps = 0
        var codes: [Int64: Int] = [:]
        /// What to look at first: the shortest beginning of a schedule that goes wrong.
        var difference: String?
    }

    private static func play(_ count: Int, from seed: UInt64, in rehearsal: Rehearsal) async throws -> Run {
        var run = Run()
        for start in stride(from: 0, to: count, by: batchSize) {
            let schedules = (start..<min(start + batchSize, count)).map { number in
                ScheduleMaker(seed: seed &+ UInt64(number))
            }
            let outcomes = try await rehearsal.play(schedules.map(\.steps))
            try #require(outcomes.count == schedules.count)
            for (number, (schedule, outcome)) in zip(schedules, outcomes).enumerated() {
                run.steps += schedule.steps.count
                for (step, answer) in zip(schedule.steps, schedule.answers) {
                    if case .admit = step.call { run.codes[answer[0], default: 0] += 1 }
                }
                guard outcome != schedule.outcome else { continue }
                run.difference = try await shortest(schedule.steps, in: rehearsal)
                run.difference?.append("\nseed \(seed &+ UInt64(start + number))")
                return run
            }
        }
        return run
    }

    private static func shortest(_ steps: [Step], in rehearsal: Rehearsal) async throws -> String {
        for length in 1...steps.count {
            let prefix = Array(steps.prefix(length))
            var model = ReferenceModel()
            let expected = Rehearsal.Outcome(prefix.map { model.play($0) }, model)
            let outcome = try await rehearsal.play([prefix])[0]
            if outcome == expected { continue }
            return (prefix.map { "\($0)" } + ["reference: \(expected)", "Redis: \(outcome)"])
                .joined(separator: "\n")
        }
        return "once, and not again"
    }
}
