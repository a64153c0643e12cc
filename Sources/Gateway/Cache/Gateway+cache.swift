import Admission
import Base
import Cache
import Catalog
import Chat
import HTTPServer
import HTTPWire
import Identity
import JSON
import Loop
import Providers
import Redis

/// Answers that were given before.
extension Gateway {
    /// What the cache may do for `call`; nil where it has no part in it.
    func cache(
        for call: ChatCall, _ request: ReadRequest, _ candidates: [Candidate]
    ) throws(Problem) -> CallCache? {
        let policy = try subjects.cachePolicy(of: call.caller) ?? limits.cachePolicy
        guard policy.isEnabled else { return nil }
        let fields = call.exchange.request.fields
        let wishes = CacheWishes(
            cacheControl: fields.values("cache-control"), preference: fields["x-hivegate-cache"])
        let decision = CacheDecision(policy, wishes, isVaried: request.isVaried)
        guard decision.hasPart, request.isSelfContained else {
            if decision.mustBeKept { throw Self.notKept }
            call.exchange.responseFields.replace(known: "X-Cache", "BYPASS")
            cacheStatistics.noteBypass()
            return nil
        }
        let place = place(of: call, request, candidates)
        call.exchange.responseFields.replace(known: "X-Cache-Key", place.name)
        return CallCache(
            place, decision,
            decision.maySearch
                ? CallCache.Comparison(
                    subject: subject(of: call, request, candidates), policy: policy.semantic) : nil)
    }

    /// Where the answer lies: where it was last, if all is as it was then.
    private func place(
        of call: ChatCall, _ request: ReadRequest, _ candidates: [Candidate]
    ) -> AnswerPlace {
        let isUsual =
            candidates.count == 1 && call.check == nil && !call.fetchesImages
            && call.front.forwardedFields.allSatisfy { !call.exchange.request.fields.contains($0) }
        if isUsual, let known = request.place, let usual = known.usual,
            known.organization == call.caller.organization, usual.candidate === candidates[0],
            usual.catalogueEpoch == catalog.snapshot.version
        {
            return known
        }
        let place = AnswerPlace(
            of: subject(of: call, request, candidates), usual: isUsual ? candidates[0] : nil)
        request.place = place
        requests.hasPlaces = true
        return place
    }

    private func subject(
        of call: ChatCall, _ request: ReadRequest, _ candidates: [Candidate]
    ) -> CacheSubject {
        let head = call.exchange.request.fields
        // Its literals are not made without asking for their types.
        var shaping: UInt8 = 0
        if let check = call.check {
            shaping |= CacheSubject.Shaping.validates.rawValue
            if check.mayRepair { shaping |= CacheSubject.Shaping.repairs.rawValue }
        }
        if call.fetchesImages { shaping |= CacheSubject.Shaping.fetchesImages.rawValue }
        return CacheSubject(
            organization: call.caller.organization, kind: .chat, dialect: call.front.dialect,
            request: request.canonical,
            fields: call.front.forwardedFields.compactMap { name in
                head.string(name).map { CacheSubject.Field(name, $0) }
            },
            shaping: CacheSubject.Shaping(rawValue: shaping),
            models: candidates.map { "\($0.id)@\($0.target.model)" },
            catalogueEpoch: catalog.snapshot.version)
    }

    private static let notKept = Problem(
        .gatewayTimeout, code: "not_cached",
        "No answer is kept that may be given, and the request asks for no other (Cache-Control: only-if-cached)."
    )

    /// Answers `call` with what Redis has for it, if it may. Says whether it did.
    func answer(_ call: ChatCall, _ cache: CallCache, from reply: RedisValue?) async throws -> Bool {
        let now = time.timestamp()
        if cache.decision.mayLookUp, let reply, let (answer, output) = find(call, cache, in: reply, at: now) {
            name(answer, as: "HIT", at: now, call.exchange)
            call.attempts.kept = answer.kept
            count(cache, answer.savings) { $0.hits = 1 }
            try await output.send(to: call)
            return true
        }
        if cache.decision.mustBeKept {
            noteMiss(cache)
            throw Self.notKept
        }
        call.exchange.responseFields.replace(known: "X-Cache", cache.decision.mayLookUp ? "MISS" : "BYPASS")
        return false
    }

    /// What is kept, where it is good for the call.
    func find(
        _ call: ChatCall, _ cache: CallCache, in reply: RedisValue, at now: Timestamp
    ) -> (CachedAnswer, ReplayedAnswer)? {
        switch CacheLookup(reply) {
        case .none, .unavailable: return nil
        case .damaged: break
        case .found(let answer):
            guard cache.decision.mayGive(answer.keeping, at: now) else { return nil }
            do throws(UpstreamFault) { return (answer, try ReplayedAnswer(answer, to: call)) } catch {}
        }
        count(cache) { $0.corrupted = 1 }
        return nil
    }

    func name(_ answer: CachedAnswer, as outcome: String, at now: Timestamp, _ exchange: Exchange) {
        Self.name(answer, as: outcome, in: &exchange.responseFields)
        tellAge(of: answer.keeping, at: now, exchange)
    }

    static func name(_ answer: CachedAnswer, as outcome: String, in fields: inout HTTPFields) {
        fields.replace(known: "X-Cache", outcome)
        fields.replace(known: "X-Hivegate-Provider", answer.provider)
        fields.replace(known: "X-Hivegate-Model", answer.upstreamModel)
        fields.replace(known: "X-Hivegate-Attempts", 0)
    }

    func tellAge(of answer: CachedAnswer.Keeping, at now: Timestamp, _ exchange: Exchange) {
        exchange.responseFields.replace(
            known: "Age", Int(answer.age(at: now).nanoseconds / 1_000_000_000))
    }

    /// Keeps what was answered, for the next who asks the same.
    func keep(_ call: ChatCall, _ cache: CallCache, _ permit: Permit) {
        let lead = call.client.lead
        var isStoring = false
        defer { if !isStoring { letGo(of: cache, lead) } }
        guard let content = cache.recording?.content, !permit.isLocal, let candidate = call.candidate,
            !ReplayedAnswer.wasFiltered(content)
        else { return }
        let usage = call.attempts.usage
        // One that ends where we have ended it is not what was asked for.
        let isCutShort = call.answerLimit.map { usage?.totalOutput ?? $0 >= $0 } ?? false
        let answer = CachedAnswer(
            content, origin: call.origin, storedAt: time.timestamp(),
            lifetimeSeconds: cache.decision.lifetimeSeconds, provider: candidate.provider,
            model: candidate.id, upstreamModel: candidate.target.model, usage: usage,
            costNanodollars: usage.flatMap { candidate.price?.cost(of: Consumption($0)) })
        let entry = answer.encoded()
        guard entry.count <= cache.decision.largestEntryBytes, !isCutShort else { return }
        isStoring = true
        loop.spawn { [self] in
            let isKept = try? await answers.store(
                entry, as: cache.key, of: cache.organization, model: candidate.id,
                lifetimeSeconds: cache.decision.lifetimeSeconds, generation: permit.purges,
                lease: cache.lease?.token)
            if isKept != nil {
                cache.lease?.end()
                cache.lease = nil
            }
            if isKept == true { count(cache) { $0.stored = 1 } }
            letGo(of: cache, lead)
            if isKept == true, let search = cache.search { await note(search, of: call, cache, permit) }
        }
    }

    /// Those who ask the same from now on find what is kept, or have it made.
    private func letGo(of cache: CallCache, _ lead: LeadingAnswer?) {
        lead?.close()
        guard let lease = cache.lease else { return }
        cache.lease = nil
        loop.spawn { await lease.release() }
    }

    /// Nothing was found, and it is asked of a provider.
    func noteMiss(_ cache: CallCache) {
        if cache.decision.mayLookUp { count(cache) { $0.misses = 1 } } else { cacheStatistics.noteBypass() }
    }

    func count(
        _ cache: CallCache, _ counts: CacheCounts = CacheCounts(), _ change: (inout CacheCounts) -> Void
    ) {
        var counts = counts
        change(&counts)
        cacheStatistics.add(counts, of: cache.organization, at: time.timestamp())
    }
}
