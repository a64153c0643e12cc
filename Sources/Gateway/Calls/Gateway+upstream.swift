import Base
import HTTPClient
import Providers

extension Gateway {
    /// Sends one request to `upstream`, which is where `candidate` is, if that takes one now, and reads its answer. The
    /// upstream learns what came of it, and so does whoever counts.
    ///
    /// `read` is given a success only, and calls `began` when its first byte has come. What goes wrong is a
    /// `CallFailure`. For `cost` see `attempt`.
    func send<Answer>(
        _ encoded: UpstreamRequest, to upstream: Upstream, of candidate: Candidate,
        for attempts: CallAttempts, silence: HTTPClientRequest.Silence? = nil,
        deadlines: HTTPClientRequest.Deadlines? = nil,
        cost: (Answer?) -> Attempt.Cost,
        fault: (_ status: Int, _ body: [UInt8]) -> UpstreamFault,
        read: (_ response: HTTPClientResponse, _ began: () -> Void) async throws -> Answer
    ) async throws -> Answer {
        let permit: Upstream.Permit
        do throws(Upstream.Refusal) {
            permit = try upstream.admit(at: time.instant())
        } catch {
            throw CallFailure(error, at: time.instant())
        }
        let request = upstream.request(
            encoded, permit.key, deadlines ?? limits.upstream, silence, at: time.timestamp())
        return try await attempt(candidate, for: attempts, cost: cost) { attempt in
            try await send(request, to: upstream, permit, attempt, fault: fault, read: read)
        }
    }

    private func send<Answer>(
        _ request: HTTPClientRequest, to upstream: Upstream, _ permit: Upstream.Permit, _ attempt: Attempt,
        fault: (_ status: Int, _ body: [UInt8]) -> UpstreamFault,
        read: (_ response: HTTPClientResponse, _ began: () -> Void) async throws -> Answer
    ) async throws -> Answer {
        var outcome = Upstream.Outcome.told
        defer { upstream.ended(permit, outcome, at: time.instant()) }
        do {
            return try await clients.withResponse(request, from: upstream) { response in
                guard (200..<300).contains(response.status) else {
                    let body = try await response.body(limit: limits.largestAnswer)
                    let told = fault(response.status, body)
                    let pause = Self.pause(wantedBy: response)
                    outcome = self.outcome(of: told, pause)
                    throw CallFailure(
                        told, retryAfter: pause,
                        isWorthRetrying: response["x-should-retry"].flatMap(Bool.init),
                        answer: (response.status, body))
                }
                attempt.mayHaveCost = true
                return try await read(response) {
                    attempt.began(at: time.instant())
                    if outcome == .told, let taken = attempt.timeToFirstByte {
                        outcome = .answered(timeToFirstToken: taken, isStream: attempt.isStreaming)
                    }
                }
            }
        } catch let fault as UpstreamFault {
            outcome = self.outcome(of: fault, nil)
            // Who says that there is no answer asks nothing for it, unless told otherwise.
            if !attempt.isStreaming, fault.kind != .garbled { attempt.mayHaveCost = false }
            throw CallFailure(fault)
        } catch let error as HTTPClientError where error.kind != .cancelled {
            outcome = self.outcome(of: error)
            if error.kind.isOutwaited { attempt.mayHaveCost = true }
            throw CallFailure(error)
        }
    }

    /// The same for an answer that is read whole.
    func answer<Answer>(
        to encoded: UpstreamRequest, from upstream: Upstream, of candidate: Candidate,
        for attempts: CallAttempts, deadlines: HTTPClientRequest.Deadlines? = nil,
        cost: (Answer?) -> Attempt.Cost,
        fault: (_ status: Int, _ body: [UInt8]) -> UpstreamFault,
        decode: (_ body: [UInt8]) throws(UpstreamFault) -> Answer
    ) async throws -> Answer {
        try await send(
            encoded, to: upstream, of: candidate, for: attempts, deadlines: deadlines, cost: cost,
            fault: fault
        ) { response, began in
            let body = try await response.body(limit: limits.largestAnswer)
            began()
            return try decode(body)
        }
    }

    // MARK: What it says of the upstream

    private func outcome(of fault: UpstreamFault, _ pause: Duration?) -> Upstream.Outcome {
        switch fault.kind {
        case .invalidRequest, .contextTooLong, .notFound, .tooLarge, .contentRefused: .told
        case .unauthenticated, .unpaid, .forbidden: .keyRefused
        case .rateLimited:
            .keyLimited(until: time.instant() + min(pause ?? limits.usualRest, limits.longestRest))
        case .overloaded, .timedOut: .overloaded(fault.kind.rawValue)
        case .failed, .garbled: .failed(fault.kind.rawValue)
        }
    }

    private func outcome(of error: HTTPClientError) -> Upstream.Outcome {
        switch error.kind {
        case .firstByteTimeout, .betweenBytesTimeout, .connectTimeout: .overloaded(error.kind.rawValue)
        case .invalidRequest, .tooManyTransfers, .cancelled, .addressRefused, .totalTimeout: .told
        default: .failed(error.kind.rawValue)
        }
    }

    /// `retry-after-ms`, or `retry-after` in seconds; dates are for browsers.
    private static func pause(wantedBy response: HTTPClientResponse) -> Duration? {
        if let text = response["retry-after-ms"], let count = Double(text), count >= 0, count < 1e9 {
            return .milliseconds(Int64(count))
        }
        if let text = response["retry-after"], let count = Double(text), count >= 0, count < 1e6 {
            return .milliseconds(Int64(count * 1000))
        }
        return nil
    }
}

extension HTTPClientError.Kind {
    /// Whether the provider had the request, and may still work on it.
    fileprivate var isOutwaited: Bool {
        switch self {
        case .firstByteTimeout, .betweenBytesTimeout, .totalTimeout: true
        default: false
        }
    }
}

extension Upstream {
    fileprivate func request(
        _ encoded: UpstreamRequest, _ key: Secret?, _ deadlines: HTTPClientRequest.Deadlines,
        _ silence: HTTPClientRequest.Silence?, at now: Timestamp
    ) -> HTTPClientRequest {
        var fields = encoded.fields
        if !fields.contains(where: { $0.name == "Content-Type" }) {
            fields.append(("Content-Type", "application/json"))
        }
        fields += settings.authorizationFields(for: encoded, fields, key: key, at: now)
        return HTTPClientRequest(
            "POST", url: settings.baseURL + encoded.path, fields: fields, body: .bytes(encoded.body),
            deadlines: deadlines, silence: silence)
    }
}
