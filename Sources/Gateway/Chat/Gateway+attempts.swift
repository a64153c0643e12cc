import Base
import Chat
import HTTPClient
import HTTPServer
import HTTPWire
import Loop
import Providers

extension Gateway {
    /// Answers `call` by the first of `candidates` that can. Until the client has got something, a failure is made good
    /// by the next one, or by the same ones once more.
    func serve(_ call: ChatCall, _ candidates: [Candidate]) async throws {
        var failure: CallFailure?
        for round in 0...limits.repetitions {
            if round > 0 {
                guard let pause = pause(before: round, after: failure) else { break }
                try await loop.sleep(for: pause)
            }
            for candidate in candidates {
                do {
                    return try await attempt(call, candidate, isRepetition: round > 0)
                } catch let error as CallFailure {
                    if call.client.hasBegun { return try await breakOff(call, error.problem) }
                    failure = failure.map { $0.outweighs(error) ? $0 : error } ?? error
                    if error.remedy == .none { break }
                }
            }
        }
        guard let failure else { preconditionFailure("a call has candidates") }
        if let answer = failure.answer {
            return call.exchange.respond(
                answer.status, ["Content-Type": "application/json"], body: answer.body)
        }
        throw failure.problem
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

    private func attempt(_ call: ChatCall, _ candidate: Candidate, isRepetition: Bool) async throws {
        switch candidate.place {
        case .sandbox(let model): try await SandboxAnswer(call, model, candidate).send()
        case .upstream(let upstream):
            if isRepetition, !upstream.mayRetry() { throw CallFailure.retriesExhausted }
            // Each key at most once: a refused one does not come back.
            for _ in 0..<max(1, upstream.settings.keys.count) {
                do {
                    return try await attempt(call, candidate, upstream)
                } catch let failure as CallFailure where failure.remedy == .otherKey {
                    if upstream.settings.keys.count == 1 || !upstream.hasReadyKey(at: time.instant()) {
                        throw failure
                    }
                }
            }
            throw CallFailure.retriesExhausted
        }
    }

    private func attempt(_ call: ChatCall, _ candidate: Candidate, _ upstream: Upstream) async throws {
        let attempt = try UpstreamAttempt(call, candidate, upstream, limits: limits)
        let permit: Upstream.Permit
        do throws(Upstream.Refusal) {
            permit = try upstream.admit(at: time.instant())
        } catch {
            throw CallFailure(error, at: time.instant())
        }
        call.attempts += 1
        let started = time.instant()
        var outcome = Upstream.Outcome.told
        defer { upstream.ended(permit, outcome, at: time.instant()) }
        do {
            try await client.withResponse(attempt.request(permit.key)) { response in
                guard (200..<300).contains(response.status) else {
                    throw try await attempt.failure(response)
                }
                call.exchange.responseFields.replace("X-Hivegate-Provider", upstream.name)
                call.exchange.responseFields.replace("X-Hivegate-Model", candidate.target.model)
                call.exchange.responseFields.replace("X-Hivegate-Attempts", "\(call.attempts)")
                try await attempt.answer(response) {
                    outcome = .answered(timeToFirstToken: time.instant() - started)
                }
            }
        } catch let fault as UpstreamFault {
            outcome = self.outcome(of: fault, retryAfter: nil)
            throw CallFailure(fault, retryAfter: nil)
        } catch let told as UpstreamAttempt.Told {
            outcome = self.outcome(of: told.fault, retryAfter: told.retryAfter)
            throw told.failure
        } catch let error as HTTPClientError where error.kind != .cancelled {
            outcome = self.outcome(of: error)
            throw CallFailure(error)
        }
    }

    /// Asks `upstream` once for something small, and gives back the body of its answer.
    func ask(_ upstream: Upstream, _ encoded: UpstreamRequest) async throws -> [UInt8] {
        let permit: Upstream.Permit
        do throws(Upstream.Refusal) {
            permit = try upstream.admit(at: time.instant())
        } catch {
            throw CallFailure(error, at: time.instant()).problem
        }
        let started = time.instant()
        var outcome = Upstream.Outcome.told
        defer { upstream.ended(permit, outcome, at: time.instant()) }
        do {
            return try await client.withResponse(upstream.request(encoded, permit.key, limits.upstream)) {
                response in
                let body = try await response.body(limit: limits.largestAnswer)
                guard (200..<300).contains(response.status) else {
                    let retryAfter = UpstreamAttempt.retryAfter(response)
                    let fault = upstream.codec.fault(status: response.status, body: body)
                    outcome = self.outcome(of: fault, retryAfter: retryAfter)
                    throw CallFailure(fault, retryAfter: retryAfter).problem
                }
                outcome = .answered(timeToFirstToken: time.instant() - started)
                return body
            }
        } catch let error as HTTPClientError where error.kind != .cancelled {
            outcome = self.outcome(of: error)
            throw CallFailure(error).problem
        }
    }

    /// Ends a stream in which something went wrong.
    private func breakOff(_ call: ChatCall, _ problem: Problem) async throws {
        logger.warning(
            "stream broke off", ("request_id", "\(call.exchange.id)"), ("code", "\(problem.code)"),
            ("reason", "\(problem.detail ?? "")"))
        try await call.client.fail(problem)
    }

    // MARK: What it says of the upstream

    private func outcome(of fault: UpstreamFault, retryAfter: Duration?) -> Upstream.Outcome {
        switch fault.kind {
        case .invalidRequest, .contextTooLong, .notFound, .tooLarge, .contentRefused: .told
        case .forbidden: .keyForbidden
        case .unauthenticated, .unpaid: .keyRefused
        case .rateLimited:
            .keyLimited(until: time.instant() + min(retryAfter ?? limits.usualRest, limits.longestRest))
        case .overloaded, .timedOut: .overloaded(fault.message)
        case .failed, .garbled: .failed(fault.message)
        }
    }

    private func outcome(of error: HTTPClientError) -> Upstream.Outcome {
        switch error.kind {
        case .firstByteTimeout, .betweenBytesTimeout, .connectTimeout: .overloaded(error.description)
        case .invalidRequest, .tooManyTransfers, .cancelled, .addressRefused, .totalTimeout: .told
        default: .failed(error.description)
        }
    }
}

extension CallFailure {
    static let retriesExhausted = CallFailure(
        Problem(
            .unavailable, code: "provider_unavailable",
            "The provider fails at the moment. Try again later, or another model.", retryAfterSeconds: 2,
            detail: "the budget for retries is spent"),
        .elsewhere)

    /// Whether the client learns more from this failure than from a later one.
    func outweighs(_ later: CallFailure) -> Bool {
        // What the client can mend itself comes first, then what a provider said, then that nobody was asked.
        func weight(_ failure: CallFailure) -> Int {
            if failure.problem.kind.status < 500, failure.problem.kind != .rateLimited { return 2 }
            return failure.problem.code == "provider_unavailable" ? 0 : 1
        }
        return weight(self) > weight(later)
    }
}
