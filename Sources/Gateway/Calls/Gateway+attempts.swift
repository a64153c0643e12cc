import Base
import HTTPServer
import HTTPWire
import Loop
import Providers

extension Gateway {
    /// Answers by the first of `candidates` that can. Until the client has got something, a failure is made good by the
    /// next one, or by the same ones once more.
    func tryInTurn<Answer>(
        _ candidates: [Candidate], isCommitted: () -> Bool = { false },
        _ attempt: (Candidate) async throws -> Answer
    ) async throws -> Answer {
        var failure: CallFailure?
        for round in 0...limits.repetitions {
            if round > 0 {
                guard let pause = pause(before: round, after: failure) else { break }
                try await loop.sleep(for: pause)
            }
            for candidate in candidates {
                do {
                    return try await tryKeys(of: candidate, isRepetition: round > 0) {
                        try await attempt(candidate)
                    }
                } catch let error as CallFailure {
                    if isCommitted() { throw error }
                    failure = failure.map { $0.outweighs(error) ? $0 : error } ?? error
                    if error.remedy == .none { throw error }
                }
            }
        }
        guard let failure else { preconditionFailure("a call has candidates") }
        throw failure
    }

    /// Once more as long as a key was refused and there is another one.
    private func tryKeys<Answer>(
        of candidate: Candidate, isRepetition: Bool, _ attempt: () async throws -> Answer
    ) async throws -> Answer {
        guard case .upstream(let upstream) = candidate.place else { return try await attempt() }
        if isRepetition, !upstream.mayRetry() { throw CallFailure.retriesExhausted }
        var keysLeft = upstream.settings.keys.count
        while true {
            do {
                return try await attempt()
            } catch let failure as CallFailure where failure.remedy == .otherKey {
                keysLeft -= 1
                if keysLeft <= 0 || !upstream.hasReadyKey(at: time.instant()) { throw failure }
            }
        }
    }

    /// How long to wait before all candidates are asked again; nil where that would be in vain.
    private func pause(before round: Int, after failure: CallFailure?) -> Duration? {
        guard case .again(let wanted) = failure?.remedy else { return nil }
        let backoff = limits.firstPause * (1 << (round - 1))
        // Up to half as long again, so that those who failed together do not come back together.
        let spread = Duration.nanoseconds(Int64.random(in: 0...backoff.nanoseconds / 2))
        let pause = max(wanted ?? .zero, backoff + spread)
        return pause <= limits.longestPause ? pause : nil
    }

    /// Tells the client who answered it.
    func nameServer(_ candidate: Candidate, attempts: CallAttempts, _ exchange: Exchange) {
        exchange.responseFields.replace(known: "X-Hivegate-Provider", candidate.provider)
        exchange.responseFields.replace(known: "X-Hivegate-Model", candidate.target.model)
        exchange.responseFields.replace(known: "X-Hivegate-Attempts", attempts.count)
        warn(of: candidate.facts?.retirement, isFirst: attempts.count == 1, exchange)
    }

    /// Tells the client that the model which answers will go, as RFC 9745 and RFC 8594 have it.
    private func warn(of retirement: Candidate.Retirement?, isFirst: Bool, _ exchange: Exchange) {
        // Another model may have been asked before.
        if !isFirst { for name in Self.retirementFields { exchange.responseFields.remove(name) } }
        guard let retirement else { return }
        if let day = retirement.deprecatedOn {
            exchange.responseFields.append("Deprecation", "@\(day.seconds)")
        }
        if let day = retirement.shutdownOn {
            var date: [UInt8] = []
            HTTPDate.append(day, to: &date)
            exchange.responseFields.append("Sunset", date)
        }
        if let replacement = retirement.replacement {
            exchange.responseFields.append("X-Hivegate-Replacement", replacement)
        }
    }

    private static let retirementFields = ["Deprecation", "Sunset", "X-Hivegate-Replacement"]
}
