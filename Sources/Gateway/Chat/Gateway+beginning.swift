import Admission
import Base
import Cache
import Catalog
import Chat
import HTTPServer
import HTTPWire
import Identity
import Providers
import Redis

/// Questions that were asked before: all about them is known but what Redis says. Where an answer is kept they need no task
/// that waits, which takes longer than all else about them. They are answered by the rules for all others, and whatever is
/// unusual about them goes the way of all others.
extension Gateway {
    /// Answers a question whose answer is kept. See `Beginning`.
    func begin(_ exchange: Exchange, as front: some ChatFront, then: @escaping (Handler?) -> Void) {
        guard let question = knownQuestion(exchange, front) else {
            return then { [self] exchange in try await answer(exchange, as: front) }
        }
        gatekeeper.admit(question.admission, beside: [question.place.get]) { [self] verdict, values in
            guard let verdict else { return then { [self] in try await answer($0, as: front) } }
            if answer(question, exchange, as: front.dialect, verdict, values.last) { return then(nil) }
            let trip = FirstTrip(question, verdict, values)
            then { [self] exchange in try await answer(exchange, as: front, after: trip) }
        }
    }

    private func knownQuestion(_ exchange: Exchange, _ front: some ChatFront) -> KnownQuestion? {
        guard requests.hasPlaces, !metersCalls else { return nil }
        var found: ReadRequest?
        guard exchange.lookAtBody({ found = requests.recall($0, front.dialect) }), let request = found,
            !request.outline.isStreaming, let place = request.place, let usual = place.usual,
            usual.catalogueEpoch == catalog.snapshot.version
        else { return nil }
        guard let head = knownHead(exchange, front), let remembered = keys.recallKnown(head.presented)
        else { return nil }
        let caller = remembered.known.caller
        guard caller.organization == place.organization, caller.scopes.contains(.inference),
            let own = ownRoutes.known(for: caller)
        else { return nil }
        // Whoever cannot be answered learns why on the usual way.
        do throws(Problem) {
            let candidates = try candidates(
                for: request.outline.model, request.wishes, caller, own, priced: .conversation)
            guard candidates.count == 1, candidates[0] === usual.candidate else { return nil }
            let policy = try subjects.cachePolicy(of: caller) ?? limits.cachePolicy
            let decision = CacheDecision(policy, head.wishes, isVaried: request.isVaried)
            let (subjects, calendar) = try subjects.subjects(
                of: caller, asking: usual.candidate.id, in: .chat)
            guard decision.mayLookUp, !subjects.hearsOfEnds else { return nil }
            return KnownQuestion(
                request, at: place, head.presented.key, remembered, decision,
                AdmissionRequest(subjects, generation: remembered.known.generation, calendar: calendar))
        } catch { return nil }
    }

    private func knownHead(_ exchange: Exchange, _ front: some ChatFront) -> KnownHead? {
        if let known = exchange.headNotes as? KnownHead { return known }
        let fields = exchange.request.fields
        guard let text = Self.presentedKey(fields),
            // All that clients can wish for beside the cache's own.
            !fields.contains(prefix: "x-hivegate-"), !front.forwardedFields.contains(where: fields.contains)
        else { return nil }
        let head = KnownHead(
            keys.present(text),
            CacheWishes(cacheControl: fields.values("cache-control"), preference: nil))
        exchange.headNotes = head
        return head
    }

    /// Says whether it was answered.
    private func answer(
        _ question: KnownQuestion, _ exchange: Exchange, as dialect: ChatDialect,
        _ verdict: Gatekeeper.Verdict, _ reply: RedisValue?
    ) -> Bool {
        guard case .admitted(let permit) = verdict, permit.generation == .current, !permit.isLocal,
            let kept = question.answer(in: reply, dialect)
        else { return false }
        let now = time.timestamp()
        guard question.decision.mayGive(kept.answer, at: now),
            keys.confirm(
                question.remembered, of: question.key,
                by: .generation(question.remembered.known.generation), at: now)
        else { return false }
        nameRequest(exchange, in: dialect)
        exchange.responseFields.append(contentsOf: kept.fields)
        tellAge(of: kept.answer, at: now, exchange)
        tell(permit.standing, isLocal: false, exchange)
        exchange.respond(200, body: kept.body)
        noteSaved(by: kept.answer, for: question.place.organization, at: now) { $0.hits = 1 }
        gatekeeper.settle(permit, tokens: 0)
        return true
    }
}

/// What a head says: who asks, and what is wished of the cache. Most clients say the same each time.
private final class KnownHead {
    let presented: KeyRing.Presented
    let wishes: CacheWishes

    init(_ presented: KeyRing.Presented, _ wishes: CacheWishes) {
        self.presented = presented
        self.wishes = wishes
    }
}

/// A question that was asked before in the same words, and who asks it now.
// Confined to its loop.
final class KnownQuestion: @unchecked Sendable {
    let key: APIKey
    let remembered: KeyRing.Remembered
    let request: ReadRequest
    let place: AnswerPlace
    let decision: CacheDecision
    let admission: AdmissionRequest

    init(
        _ request: ReadRequest, at place: AnswerPlace, _ key: APIKey, _ remembered: KeyRing.Remembered,
        _ decision: CacheDecision, _ admission: AdmissionRequest
    ) {
        self.request = request
        self.place = place
        self.key = key
        self.remembered = remembered
        self.decision = decision
        self.admission = admission
    }

    /// The answer that Redis has; nil where that is none that can be given as it is. It is read once, and then again when it
    /// is another.
    fileprivate func answer(in reply: RedisValue?, _ dialect: ChatDialect) -> KeptAnswer? {
        guard case .bytes(let entry) = reply else { return nil }
        if let known = request.keptAnswer, known.place === place, known.is(entry) { return known }
        guard case .found(let answer) = CacheLookup(.bytes(entry)),
            case .forwarded(dialect, isStream: false, let type, let body) = answer.content
        else { return nil }
        let kept = KeptAnswer(entry, answer, body, type, at: place)
        request.keptAnswer = entry.count <= KeptAnswer.largest ? kept : nil
        return kept
    }
}

/// An answer that is given as it was kept, as long as the same is kept.
struct KeptAnswer {
    /// More is not remembered.
    fileprivate static let largest = 16 << 10

    fileprivate let place: AnswerPlace
    private let entry: [UInt8]
    fileprivate let answer: CachedAnswer
    fileprivate let body: ArraySlice<UInt8>
    /// Those that are the same each time.
    fileprivate let fields: HTTPFields

    fileprivate init(
        _ entry: [UInt8], _ answer: CachedAnswer, _ body: ArraySlice<UInt8>, _ type: String,
        at place: AnswerPlace
    ) {
        self.place = place
        self.entry = entry
        self.answer = answer
        self.body = body
        var fields = HTTPFields()
        fields.append(known: "X-Cache-Key", place.name)
        Gateway.name(answer, as: "HIT", in: &fields)
        fields.append(known: "Content-Type", type)
        self.fields = fields
    }

    fileprivate func `is`(_ other: [UInt8]) -> Bool { other.withUnsafeBytes { entry.isSame(as: $0) } }
}

/// What Redis has said of a request, for those who go on with it. Where they do not there is nothing to be taken back: see
/// `SubjectList.hearsOfEnds`.
// Confined to its loop.
final class FirstTrip: @unchecked Sendable {
    private let question: KnownQuestion
    private var outcome: (verdict: Gatekeeper.Verdict, values: [RedisValue])?

    init(_ question: KnownQuestion, _ verdict: Gatekeeper.Verdict, _ values: [RedisValue]) {
        self.question = question
        outcome = (verdict, values)
    }

    /// What it was, where it was for this; once.
    func take(
        for request: AdmissionRequest, _ place: AnswerPlace?
    ) -> (verdict: Gatekeeper.Verdict, values: ArraySlice<RedisValue>)? {
        let admission = question.admission
        guard let outcome, place === question.place, request.subjects === admission.subjects,
            request.generation == admission.generation, request.tokens == 0, request.money == nil
        else { return nil }
        self.outcome = nil
        return (outcome.verdict, outcome.values.dropFirst())
    }
}
