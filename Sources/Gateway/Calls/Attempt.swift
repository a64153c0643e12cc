import Base
import Catalog
import Chat
import Identity
import Metering
import Providers

/// One request to a provider while it is under way.
// Confined to its loop.
final class Attempt: @unchecked Sendable {
    let candidate: Candidate
    /// Those for the same call, this one among them.
    let attempts: CallAttempts
    let number: Int
    let started: Instant
    private(set) var timeToFirstByte: Duration?
    /// Whether the provider may ask money for it: it has said that it answers, or we stopped waiting.
    var mayHaveCost = false

    init(_ candidate: Candidate, for attempts: CallAttempts, at now: Instant) {
        self.candidate = candidate
        self.attempts = attempts
        attempts.raise()
        number = attempts.count
        started = now
    }

    var isStreaming: Bool { attempts.isStreaming }

    /// The first byte of an answer has come.
    func began(at now: Instant) {
        mayHaveCost = true
        if timeToFirstByte == nil { timeToFirstByte = now - started }
    }

    /// What a request has used: what the provider says, or what we guess where it does not.
    struct Cost {
        var usage: ChatUsage?
        var imageCount = 0
    }
}

extension Gateway {
    /// Asks once, and reports what came of it, however it ends.
    ///
    /// - Parameter cost: what an answer has used; given nil where there is none to read that may have cost something
    ///   nevertheless.
    func attempt<Answer>(
        _ candidate: Candidate, for attempts: CallAttempts, cost: (Answer?) -> Attempt.Cost,
        _ ask: (Attempt) async throws -> Answer
    ) async throws -> Answer {
        let attempt = Attempt(candidate, for: attempts, at: time.instant())
        do {
            let answer = try await ask(attempt)
            report(attempt, answer, cost)
            return answer
        } catch {
            report(attempt, error, cost)
            throw error
        }
    }

    // Reports are not inlined, so that they take no room of those who wait for an answer.
    @inline(never)
    private func report<Answer>(_ attempt: Attempt, _ answer: Answer, _ cost: (Answer?) -> Attempt.Cost) {
        report(.answered, attempt, cost(answer))
    }

    @inline(never)
    private func report<Answer>(_ attempt: Attempt, _ error: any Error, _ cost: (Answer?) -> Attempt.Cost) {
        guard let failure = error as? CallFailure else { return report(.abandoned, attempt, cost(nil)) }
        var spent = attempt.mayHaveCost ? cost(nil) : Attempt.Cost()
        spent.usage = spent.usage ?? failure.usage
        report(.failed, attempt, spent, fault: failure.problem.code)
    }

    private func report(
        _ outcome: AttemptReport.Outcome, _ attempt: Attempt, _ cost: Attempt.Cost, fault: String? = nil
    ) {
        let (candidate, attempts) = (attempt.candidate, attempt.attempts)
        attempts.add(cost.usage)
        if let bytes = attempts.requestBytes, let usage = cost.usage {
            tokenBound.learn(bytes: bytes, usage, of: candidate)
        }
        if attempts.isMetered { meter(outcome, attempt, cost, fault) }
        note(
            AttemptReport(
                requestID: attempts.requestID, organization: attempts.caller.organization,
                key: attempts.caller.key, provider: candidate.provider, isOwnKey: candidate.isOwn,
                model: candidate.id, kind: attempts.kind, number: attempt.number,
                isStreaming: attempts.isStreaming, outcome: outcome, usage: cost.usage,
                imageCount: cost.imageCount, timeToFirstByte: attempt.timeToFirstByte,
                duration: time.instant() - attempt.started))
    }
}

extension Gateway {
    /// Notes what it has used and cost, by the price that was in force when its call began.
    private func meter(
        _ outcome: AttemptReport.Outcome, _ attempt: Attempt, _ cost: Attempt.Cost, _ fault: String?
    ) {
        let candidate = attempt.candidate
        let latency = time.instant() - attempt.started
        attempt.attempts.note(
            UsageEvent.Attempt(
                provider: candidate.provider, model: candidate.id,
                started: time.timestamp() + (.zero - latency),
                latency: latency, outcome: outcome, cost: cost.nanodollars(by: candidate.price)
            ) { note in
                note.isOwnKey = candidate.isOwn
                note.timeToFirstToken = attempt.timeToFirstByte
                note.fault = fault
                (note.usage, note.imageCount) = (cost.usage, cost.imageCount)
                note.priceFrom = candidate.price?.from
                note.override = candidate.price?.price.override
            })
    }
}

extension Attempt.Cost {
    /// nil where something was used whose price is not known. Who did nothing asks nothing.
    fileprivate func nanodollars(by price: PriceInForce?) -> Int64? {
        if usage == nil, imageCount == 0 { return 0 }
        return price?.cost(of: Consumption(usage ?? ChatUsage()) { $0.images = imageCount })
    }
}

extension Candidate {
    /// Whether it is asked with the organization's own key.
    fileprivate var isOwn: Bool {
        if case .upstream(let upstream) = place { upstream.settings.owner != nil } else { false }
    }
}
