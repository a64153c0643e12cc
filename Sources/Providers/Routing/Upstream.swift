package import Base
import HTTPWire

/// A provider as it is set up here: where it is, how it is spoken with, whose keys are used, and how it fares.
///
/// Shared by all loops.
package final class Upstream: Sendable {
    package struct Settings: Sendable {
        /// What models of it begin with: `openai` in `openai/gpt-5`.
        package var name: String
        package var title: String
        /// How each kind of its models is spoken with; nil where it has none.
        package var chat: (any ChatCodec)?
        /// Beside `chat`: the Responses API.
        package var responses: (any ChatCodec)?
        package var embeddings: (any EmbeddingCodec)?
        package var images: (any ImageCodec)?
        /// Without a `/` at its end.
        package var baseURL: String
        package var authorization: ProviderPreset.Authorization
        /// For those that are in one, and whose requests are signed for it.
        package var region: String?
        /// At least one, unless there is no authorization.
        package var keys: [Secret]

        /// The organization whose keys they are; nil: the instance's.
        package var owner: UUID?
        /// Whether its address is an organization's word: it is only spoken to where that may lead.
        package var isGuarded = false
        /// Whether it is asked past the proxy, where one is set up: it was found without.
        package var isDirect = false

        /// Where it lists its models in OpenAI's shape, behind the base URL; nil where it does not.
        package var modelsPath: String?

        package init(
            name: String, title: String? = nil, chat: (any ChatCodec)?,
            responses: (any ChatCodec)? = nil, embeddings: (any EmbeddingCodec)? = nil,
            images: (any ImageCodec)? = nil, baseURL: String,
            authorization: ProviderPreset.Authorization = .bearer, keys: [Secret],
            modelsPath: String? = nil
        ) {
            self.name = name
            self.title = title ?? name
            self.chat = chat
            self.responses = responses
            self.embeddings = embeddings
            self.images = images
            self.baseURL = baseURL.hasSuffix("/") ? String(baseURL.dropLast()) : baseURL
            self.authorization = authorization
            self.keys = keys
            self.modelsPath = modelsPath
        }

        /// What says who asks, with `key` or with the first one.
        package func authorizationFields(
            for request: UpstreamRequest? = nil, _ fields: [(name: String, value: String)] = [],
            key: Secret? = nil, at now: Timestamp = .now()
        ) -> [(name: String, value: String)] {
            guard let key = key ?? keys.first else { return [] }
            switch authorization {
            case .none: return []
            case .bearer: return [("Authorization", "Bearer \(key.reveal())")]
            case .token: return [("Authorization", "Token \(key.reveal())")]
            case .header(let name): return [(name, key.reveal())]
            case .signatureV4(let service):
                guard let request, let address = try? URLAddress(baseURL + request.path) else { return [] }
                let signer = SigV4(
                    SigV4.Credentials(joined: key), region: region ?? "us-east-1", service: service)
                return signer.fields(
                    for: SigV4.Request(
                        host: address.authority, path: address.path, fields: fields, body: request.body),
                    at: now)
            }
        }
    }

    package let settings: Settings
    private let state: Locked<State>

    private struct State {
        var breaker = CircuitBreaker()
        var keys: KeyRotation
        var limiter = ConcurrencyLimiter()
        var retries = RetryBudget()
        var outliers = OutlierWatch()
        var succeeded = 0
        var failed = 0
        var lastFault: String?
    }

    package init(_ settings: Settings) {
        self.settings = settings
        state = Locked(State(keys: KeyRotation(keyCount: max(1, settings.keys.count))))
    }

    package var name: String { settings.name }

    // MARK: Going there

    /// Leave to send one request, which must be given back by `ended`.
    package struct Permit: Sendable {
        /// nil where none is wanted.
        package let key: Secret?
        fileprivate let keyIndex: Int
        fileprivate let isProbe: Bool
    }

    /// Why no request goes there now.
    package enum Refusal: Error, Equatable, Sendable {
        /// It fails, and gets another chance then.
        case failing(until: Instant)
        /// All keys are over their limits until then.
        case limited(until: Instant)
        /// As many requests are under way as it bears.
        case busy
    }

    package func admit(at now: Instant) throws(Refusal) -> Permit {
        try state.withLock { state throws(Refusal) in
            guard state.limiter.enter() else { throw .busy }
            let admission = state.breaker.admit(at: now)
            if case .refuse(let until) = admission {
                state.limiter.leave()
                throw .failing(until: until)
            }
            switch state.keys.choose(at: now) {
            case .key(let index):
                state.retries.earn()
                return Permit(
                    key: settings.keys.isEmpty ? nil : settings.keys[index], keyIndex: index,
                    isProbe: admission == .probe)
            case .resting(let until):
                state.limiter.leave()
                state.breaker.abandoned(wasProbe: admission == .probe, at: now)
                throw .limited(until: until)
            }
        }
    }

    /// Whether a request may be sent here once more after it failed here.
    package func mayRetry() -> Bool { state.withLock { $0.retries.spend() } }

    /// What came of a request.
    package enum Outcome: Equatable, Sendable {
        /// What is not a stream has no first token: it takes as long as it is.
        case answered(timeToFirstToken: Duration, isStream: Bool = true)
        /// The provider is well and the request was not, or nobody waited for its end.
        case told
        /// The key was refused, or may not do this.
        case keyRefused
        /// The key is over its limit until then.
        case keyLimited(until: Instant)
        /// It was turned away because the provider has too much to do, or it got no answer in time.
        case overloaded(String)
        case failed(String)
    }

    package func ended(_ permit: Permit, _ outcome: Outcome, at now: Instant) {
        state.withLock { state in
            switch outcome {
            case .answered(let time, let isStream):
                state.limiter.leave(timeToFirstToken: time)
                state.outliers.succeeded(timeToFirstToken: isStream ? time : nil, at: now)
                state.breaker.succeeded(wasProbe: permit.isProbe, at: now)
                state.succeeded += 1
            case .told:
                state.limiter.leave()
                state.breaker.abandoned(wasProbe: permit.isProbe, at: now)
            case .keyRefused:
                state.limiter.leave()
                state.breaker.abandoned(wasProbe: permit.isProbe, at: now)
                state.keys.retire(permit.keyIndex, at: now)
            case .keyLimited(let until):
                state.limiter.leaveOverloaded()
                state.breaker.abandoned(wasProbe: permit.isProbe, at: now)
                state.keys.rest(permit.keyIndex, until: until)
            case .overloaded(let reason):
                state.limiter.leaveOverloaded()
                fail(&state, permit, reason, at: now)
            case .failed(let reason):
                state.limiter.leave()
                fail(&state, permit, reason, at: now)
            }
        }
    }

    private func fail(_ state: inout State, _ permit: Permit, _ reason: String, at now: Instant) {
        state.breaker.failed(wasProbe: permit.isProbe, at: now)
        state.outliers.failed(at: now)
        state.failed += 1
        state.lastFault = reason
    }

    /// Whether another key may be tried.
    package func hasReadyKey(at now: Instant) -> Bool { state.withLock { $0.keys.readyCount(at: now) > 0 } }

    /// Has others asked before it for a while: it does far worse than they.
    package func leaveOut(at now: Instant) { state.withLock { $0.outliers.leaveOut(at: now) } }

    // MARK: How it fares

    package struct Health: Equatable, Sendable {
        package var breaker: CircuitBreaker.State
        package var readyKeys: Int
        package var keys: Int
        package var underWay: Int
        package var limit: Int
        /// Recent seconds to the first token.
        package var latency: Double?
        package var succeeded: Int
        package var failed: Int
        package var lastFault: String?
        /// What happened of late, to be compared with others'.
        package var recent: OutlierWatch.Record
        package var isLeftOut: Bool

        /// Whether it takes requests now.
        package func isOpen(at now: Instant) -> Bool {
            switch breaker {
            case .closed: readyKeys > 0
            case .open(let until): until <= now
            case .probing: false
            }
        }
    }

    package func health(at now: Instant) -> Health {
        state.withLock { state in
            Health(
                breaker: state.breaker.state, readyKeys: state.keys.readyCount(at: now),
                keys: settings.keys.count, underWay: state.limiter.underWay, limit: state.limiter.limit,
                latency: state.limiter.latency, succeeded: state.succeeded, failed: state.failed,
                lastFault: state.lastFault, recent: state.outliers.record(at: now),
                isLeftOut: state.outliers.isLeftOut(at: now))
        }
    }
}
