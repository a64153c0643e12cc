import Base
import Loop
import Redis
import TestKit
import Testing

@testable import Admission

/// Many callers at once, at several processes' worth of gatekeepers.
struct CrowdTests {
    private static let trialCount = 100

    @Test(.timeLimit(.minutes(5)), arguments: [2, 4])
    func `of a crowd as many are admitted as the limit says, and not one more`(_ workerCount: Int)
        async throws
    {
        let seed = seed()
        let unused: Gatekeeper.QuotaSource = { _, _, _ in [] }
        try await withWorkers(workerCount, quotas: unused) { _, workers in
            var random = SeededGenerator(seed: seed)
            for trial in 0..<Self.trialCount {
                let limit = Int.random(in: 0...250, using: &random)
                let span = Span.allCases.randomElement(using: &random) ?? .day
                let admitted = try await Self.undisturbed(span, workers[0]) {
                    try await Self.admitted(of: 200, under: limit, each: span, workers)
                }
                #expect(admitted == min(limit, 200), "seed \(seed), trial \(trial): \(limit) each \(span)")
            }
        }
    }

    @Test(.timeLimit(.minutes(5)), arguments: [2, 4])
    func `what was used and what is reserved stay below the limit together, at every moment`(
        _ workerCount: Int
    ) async throws {
        let seed = seed()
        try await withWorkers(workerCount) { _, workers in
            for trial in 0..<20 {
                let ledger = try await Self.undisturbed(.day, workers[0]) {
                    try await Self.spend(workers, seed: seed &+ UInt64(trial))
                }
                let about = "seed \(seed), trial \(trial): \(ledger)"
                #expect(ledger.peak <= ledger.limit, "\(about)")
                #expect(ledger.counted == ledger.taken, "\(about)")
                // Without what was given back less would have been admitted.
                #expect(ledger.reserved > ledger.limit && ledger.refusals > 0, "\(about)")
            }
        }
    }

    // MARK: Requests

    private static func admitted(
        of callers: Int, under limit: Int, each span: Span, _ workers: [Worker]
    ) async throws -> Int {
        let organization = UUID.make()
        let calendar = calendar
        let permits = try await crowd(of: callers, at: workers) { worker, _ in
            var limits = Limits()
            switch span {
            case .minute: limits.requests.minute = limit
            case .hour: limits.requests.hour = limit
            case .day: limits.requests.day = limit
            case .month: limits.requests.month = limit
            }
            let list = worker.gatekeeper.subjects([(.organization, limits)], at: .organization(organization))
            let verdict = await worker.admit(list, calendar: calendar)
            #expect(verdict.permit?.isLocal != true && verdict.refusal?.isLocal != true)
            return verdict.permit
        }
        return permits.count { $0 != nil }
    }

    private static var calendar: Calendar {
        let now = Timestamp.now().seconds
        return Calendar(starts: [
            (300, Timestamp(seconds: now - 86_400)), (301, Timestamp(seconds: now + 86_400)),
            (302, Timestamp(seconds: now + 30 * 86_400)),
        ])
    }

    /// Once more where another minute, hour or day has begun meanwhile.
    private static func undisturbed<Result>(
        _ span: Span, _ worker: Worker, _ trial: () async throws -> Result
    ) async throws -> Result {
        while true {
            let before = try await worker.run { try await $0.now() }
            let result = try await trial()
            let after = try await worker.run { try await $0.now() }
            let length = max(1, span.steps * span.step)
            if span == .month || before / length == after / length { return result }
        }
    }

    // MARK: Tokens

    private struct Ledger {
        var limit: Int64
        /// Used, and reserved by those who are under way.
        var held: Int64 = 0
        var peak: Int64 = 0
        var taken: Int64 = 0
        var reserved: Int64 = 0
        var refusals = 0
        /// What Redis says in the end.
        var counted: Int64 = 0
    }

    private static func spend(_ workers: [Worker], seed: UInt64) async throws -> Ledger {
        var random = SeededGenerator(seed: seed)
        let limit = Int64.random(in: 2000...20_000, using: &random)
        let organization = UUID.make()
        let ledger = Locked(Ledger(limit: limit))
        _ = try await crowd(of: 200, at: workers) { worker, number in
            var random = SeededGenerator(seed: seed &+ UInt64(number) << 32)
            let limits = Limits(tokens: .init(day: Int(limit)))
            let list = worker.gatekeeper.subjects([(.organization, limits)], at: .organization(organization))
            for _ in 0..<5 {
                let estimate = Int64.random(in: 1...500, using: &random)
                let actual = Int64.random(in: 0...estimate, using: &random) / 4
                guard let permit = await worker.admit(list, tokens: estimate).permit else {
                    ledger.withLock { $0.refusals += 1 }
                    continue
                }
                ledger.withLock {
                    $0.held += estimate
                    $0.reserved += estimate
                    $0.peak = max($0.peak, $0.held)
                }
                try await worker.loop.sleep(for: .microseconds(Int.random(in: 0...2000, using: &random)))
                // Before it is given back, so that nobody has it yet.
                ledger.withLock {
                    $0.held -= estimate - actual
                    $0.taken += actual
                }
                worker.gatekeeper.settle(permit, tokens: actual)
            }
        }
        for worker in workers {
            let counted = try await worker.run { try await $0.counted(organization)[.tokens, .day] }
            ledger.withLock { $0.counted = counted }
        }
        return ledger.withLock { $0 }
    }
}
