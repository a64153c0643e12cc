import Admission
import Base
import Cache
import Catalog
import Chat
import HTTPServer
import HTTPWire
import Identity
import Metering
import Providers
import Redis

/// Questions that were asked before: all about them is known but what Redis says. Where an answer is kept they need no task
/// that waits, which takes longer than all else about them. They are answered by the rules for all others, and whatever is
/// unusual about them goes the way of all others.
extension Gateway {
    /// Answers a question whose answer is kept. See `Beginning`.
    func begin(_ exchange: Exchange, as front: some ChatFront) {
        guard let trip = firstTrip(exchange, front) else {
            return exchange.begun { [self] exchange in try await answer(exchange, as: front) }
        }
        gatekeeper.ask(trip.question.admission, beside: trip.question.commands, for: trip)
    }

    private func firstTrip(_ exchange: Exchange, _ front: some ChatFront) -> FirstTrip? {
        guard requests.hasPlaces, !limits.requiresPrices else { return nil }
        var found: ReadRequest?
        guard exchange.lookAtBody({ found = requests.recall($0, front.dialect) }), let request = found,
            let head = knownHead(exchange, front), let remembered = keys.recallKnown(head.presented),
            let question = knownQuestion(request, head.wishes, of: remembered.known)
        else { return nil }
        return FirstTrip(question, of: request, head.presented.key, remembered, exchange, self) {
            gateway, trip in
            { exchange in try await gateway.answer(exchange, as: front, after: trip) }
        }
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

    private func knownQuestion(
        _ request: ReadRequest, _ wishes: CacheWishes, of known: KnownCaller
    ) -> KnownQuestion? {
        guard let place = request.place, let own = ownRoutes.known(for: known.caller) else { return nil }
        let basis = KnownQuestion.Basis(
            place: place, known: known, own: own, wishes: wishes, epoch: catalog.snapshot.version,
            upstreams: router.reach(of: own).instance, second: time.timestamp().seconds)
        if let question = request.question, question.isMade(of: basis) { return question }
        request.question = question(request, basis)
        return request.question
    }

    private func question(_ request: ReadRequest, _ basis: KnownQuestion.Basis) -> KnownQuestion? {
        let (place, caller) = (basis.place, basis.known.caller)
        guard !request.outline.isStreaming, let usual = place.usual,
            usual.catalogueEpoch == basis.epoch, caller.organization == place.organization,
            caller.scopes.contains(.inference)
        else { return nil }
        // Whoever cannot be answered learns why on the usual way.
        do throws(Problem) {
            let candidates = try candidates(
                for: request.outline.model, request.wishes, caller, basis.own, priced: .conversation)
            guard candidates.count == 1, candidates[0] === usual.candidate else { return nil }
            let policy = try subjects.cachePolicy(of: caller) ?? limits.cachePolicy
            let decision = CacheDecision(policy, basis.wishes, isVaried: request.isVaried)
            let (subjects, calendar) = try subjects.subjects(
                of: caller, asking: usual.candidate.id, in: .chat)
            guard decision.mayLookUp, !subjects.hearsOfEnds else { return nil }
            return KnownQuestion(
                basis, decision,
                AdmissionRequest(subjects, generation: basis.known.generation, calendar: calendar))
        } catch { return nil }
    }

    /// Says whether it was answered.
    fileprivate func answer(
        _ trip: FirstTrip, by verdict: Gatekeeper.Verdict, _ reply: RedisValue?
    ) -> Bool {
        let (question, exchange) = (trip.question, trip.exchange)
        guard case .admitted(let permit) = verdict, permit.generation == .current, !permit.isLocal,
            let kept = trip.answer(in: reply)
        else { return false }
        let now = time.timestamp()
        guard question.decision.mayGive(kept.keeping, at: now),
            keys.confirm(
                trip.remembered, of: trip.key, by: .generation(trip.remembered.known.generation), at: now)
        else { return false }
        nameRequest(exchange, in: trip.request.dialect)
        exchange.responseFields.append(contentsOf: kept.fields)
        tellAge(of: kept.keeping, at: now, exchange)
        tell(permit.standing, isLocal: false, exchange)
        exchange.respond(200, body: kept.body)
        cacheStatistics.add(kept.counts, of: question.place.organization, at: now)
        meter?.keptAnswers?.add(
            question.given(kept, trip), saving: Int64(kept.counts.nanodollarsSaved), exchange.id)
        // There is nothing to be told Redis of its end: see `SubjectList.hearsOfEnds`.
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

/// A question as one caller asks it: all that is to be known of it beside what Redis says.
// Confined to its loop.
final class KnownQuestion {
    /// What it was made of: as long as that is the same, so is the question.
    struct Basis {
        let place: AnswerPlace
        let known: KnownCaller
        let own: OwnRoutes
        let wishes: CacheWishes
        /// The catalogue's version.
        let epoch: Int64
        let upstreams: UpstreamDirectory.Snapshot
        /// Prices and ends of service change with the second at most.
        let second: Int64
    }

    private let basis: Basis
    let decision: CacheDecision
    let admission: AdmissionRequest
    /// Asked beside the admission.
    let commands: [RedisCommand]
    private var given: (answer: KeptAnswer, series: KeptAnswers.Series)?

    init(_ basis: Basis, _ decision: CacheDecision, _ admission: AdmissionRequest) {
        self.basis = basis
        self.decision = decision
        self.admission = admission
        commands = [basis.place.get]
    }

    var place: AnswerPlace { basis.place }

    /// Where it is counted how often an answer was given.
    fileprivate func given(_ answer: KeptAnswer, _ trip: FirstTrip) -> KeptAnswers.Series {
        if let given, given.answer === answer { return given.series }
        let caller = basis.known.caller
        let series = KeptAnswers.Series(
            UsageEvent(
                id: .make(), requestID: "", organization: caller.organization, user: caller.user,
                key: caller.key,
                endpoint: trip.exchange.route?.name ?? "", model: trip.request.outline.model, at: .now(),
                attempts: []
            ) {
                $0.kept = answer.kept
                $0.cache = "HIT"
            })
        given = (answer, series)
        return series
    }

    func isMade(of other: Basis) -> Bool {
        basis.second == other.second && basis.known.caller === other.known.caller
            && basis.known.generation == other.known.generation && basis.place === other.place
            && basis.own === other.own && basis.epoch == other.epoch
            && basis.upstreams === other.upstreams && basis.wishes == other.wishes
    }
}

/// An answer that is given as it was kept, as long as the same is kept.
final class KeptAnswer {
    /// More is not remembered.
    fileprivate static let largest = 16 << 10

    fileprivate let place: AnswerPlace
    private let entry: [UInt8]
    fileprivate let keeping: CachedAnswer.Keeping
    fileprivate let body: ArraySlice<UInt8>
    /// Those that are the same each time.
    fileprivate let fields: HTTPFields
    /// What is counted when it is given.
    fileprivate let counts: CacheCounts
    fileprivate let kept: UsageEvent.Kept

    fileprivate init(
        _ entry: [UInt8], _ answer: CachedAnswer, _ body: ArraySlice<UInt8>, _ type: String,
        at place: AnswerPlace
    ) {
        self.place = place
        self.entry = entry
        keeping = answer.keeping
        self.body = body
        var fields = HTTPFields()
        fields.append(known: "X-Cache-Key", place.name)
        Gateway.name(answer, as: "HIT", in: &fields)
        fields.append(known: "Content-Type", type)
        self.fields = fields
        var counts = answer.savings
        counts.hits = 1
        self.counts = counts
        self.kept = answer.kept
    }

    fileprivate func `is`(_ other: [UInt8]) -> Bool { other.withUnsafeBytes { entry.isSame(as: $0) } }
}

/// A known question on its way to Redis and back. Where what comes back is not enough it is kept for those who go on with the
/// request. Where they do not there is nothing to be taken back: see `SubjectList.hearsOfEnds`.
// Confined to its loop.
final class FirstTrip: RedisCaller, @unchecked Sendable {
    let question: KnownQuestion
    let request: ReadRequest
    let key: APIKey
    let remembered: KeyRing.Remembered
    let exchange: Exchange
    private let gateway: Gateway
    /// What goes on with the request.
    private let rest: (Gateway, FirstTrip) -> Handler
    private var outcome: (verdict: Gatekeeper.Verdict, values: [RedisValue])?

    init(
        _ question: KnownQuestion, of request: ReadRequest, _ key: APIKey, _ remembered: KeyRing.Remembered,
        _ exchange: Exchange, _ gateway: Gateway, rest: @escaping (Gateway, FirstTrip) -> Handler
    ) {
        self.question = question
        self.request = request
        self.key = key
        self.remembered = remembered
        self.exchange = exchange
        self.gateway = gateway
        self.rest = rest
    }

    func replied(_ replies: Result<[RedisValue], RedisError>) {
        let (verdict, values) = gateway.gatekeeper.decide(question.admission, by: replies)
        if let verdict {
            if gateway.answer(self, by: verdict, values.last) { return exchange.begun() }
            outcome = (verdict, values)
        }
        exchange.begun(leaving: rest(gateway, self))
    }

    /// The answer that Redis has; nil where that is none that can be given as it is. It is read once, and then again when it
    /// is another.
    fileprivate func answer(in reply: RedisValue?) -> KeptAnswer? {
        guard case .bytes(let entry) = reply else { return nil }
        if let known = request.keptAnswer, known.place === question.place, known.is(entry) { return known }
        guard case .found(let answer) = CacheLookup(.bytes(entry)),
            case .forwarded(request.dialect, isStream: false, let type, let body) = answer.content
        else { return nil }
        let kept = KeptAnswer(entry, answer, body, type, at: question.place)
        request.keptAnswer = entry.count <= KeptAnswer.largest ? kept : nil
        return kept
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
