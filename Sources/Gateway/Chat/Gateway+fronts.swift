import Admission
import Base
import Cache
import Chat
import HTTPServer
import HTTPWire
import Identity
import JSON
import Providers

extension Gateway {
    /// `POST /v1/chat/completions`
    func chatCompletions(_ exchange: Exchange) async throws {
        try await answer(exchange, as: OpenAIChatFront())
    }

    /// `POST /v1/responses`
    func responses(_ exchange: Exchange) async throws {
        try await answer(exchange, as: OpenAIResponsesFront())
    }

    /// `POST /v1/messages`
    func messages(_ exchange: Exchange) async throws {
        try await answer(exchange, as: AnthropicFront())
    }

    /// `POST /v1/messages/count_tokens`
    func countTokens(_ exchange: Exchange) async throws {
        let front = AnthropicFront()
        try await guarded(exchange, front) { arrival in
            let document = try Self.document(try await exchange.body())
            let request = try front.countRequest(document)
            let (candidates, entry) = try await admitted(
                arrival, asking: request.model, RouteWishes(), in: .chat, priced: .nothing, exchange)
            defer { gatekeeper.settle(entry.permit, tokens: 0) }
            let attempts = CallAttempts(exchange.id, of: arrival.caller, .tokenCount)
            let count: (tokens: Int, isEstimated: Bool) = try await tryInTurn(candidates) { candidate in
                try await self.count(request, by: candidate, for: attempts)
            }
            if count.isEstimated { exchange.responseFields.append("X-Hivegate-Estimated", "true") }
            exchange.respond(
                200, ["Content-Type": "application/json"], body: front.countBody(tokens: count.tokens))
        }
    }

    /// As the provider counts them, or as we guess where it does not say.
    private func count(
        _ request: ChatRequest, by candidate: Candidate, for attempts: CallAttempts
    ) async throws -> (tokens: Int, isEstimated: Bool) {
        guard case .upstream(let upstream) = candidate.place,
            let codec = upstream.settings.chat as? any TokenCounting
        else { return (TokenEstimate.tokens(in: request.messages), true) }
        let encoded: UpstreamRequest
        do throws(UpstreamRequest.Unsayable) {
            // As it would be sent to be answered.
            let (request, _) = request.leavingOutForeign(for: codec.dialect)
            encoded = try codec.encodeCount(request, for: candidate.target)
        } catch { throw CallFailure(Problem(error), .elsewhere) }
        let count = try await answer(
            to: encoded, from: upstream, of: candidate, for: attempts, cost: { _ in Attempt.Cost() },
            fault: { codec.fault(status: $0, body: $1) },
            decode: { body throws(UpstreamFault) in try codec.decodeCount(body) })
        return (count, false)
    }

    /// Answers a request for a conversation, whatever its dialect, and says in that dialect what goes wrong.
    ///
    /// - Parameter trip: what was said of it already.
    func answer(_ exchange: Exchange, as front: some ChatFront, after trip: FirstTrip? = nil) async throws {
        try await guarded(exchange, front) { arrival in
            let request = try requests.read(try await exchange.body(), as: front)
            try await answer(request, as: front, for: arrival, exchange, after: trip)
        }
    }

    /// The same for a request that may be one of several on `exchange`: then it has an `id`, and a place where its
    /// stream goes.
    func answer(
        _ request: ReadRequest, as front: some ChatFront, for arrival: Arrival, _ exchange: Exchange,
        id: String? = nil, sink: ClientStream.Sink? = nil, after trip: FirstTrip? = nil
    ) async throws {
        let call: ChatCall
        let candidates: [Candidate]
        do {
            let own = try await ownRoutes.routes(for: arrival.caller)
            (call, candidates) = try prepare(request, front, arrival.caller, own, exchange, id, sink)
        } catch {
            guard try await isOutdated(arrival) else { throw error }
            return try await answer(request, as: front, for: arrival, exchange, id: id, sink: sink)
        }
        guard let entry = try await enter(arrival, with: call, candidates, after: trip) else {
            return try await answer(request, as: front, for: arrival, exchange, id: id, sink: sink)
        }
        defer { gatekeeper.settle(entry.permit, tokens: call.attempts.tokens) }
        if metersCalls { meter(call, entry) }
        do {
            try await answer(call, candidates, entry)
        } catch {
            // Whatever went wrong, and also where nobody waits any more.
            await call.client.beforeEnd?.run()
            throw error
        }
        try await call.client.finish()
    }

    // What is seldom needed takes no room of every call.
    @inline(never)
    private func meter(_ call: ChatCall, _ entry: Entry) {
        call.attempts.isMetered = true
        call.attempts.wouldRefuse = entry.refusedBy
        call.attempts.counting = entry.counting
        call.attempts.tags = call.tags
        let permit = entry.permit
        call.client.beforeEnd = BeforeEnd { [self] done in
            let exchange = call.exchange
            settle(
                permit, call.attempts, endpoint: exchange.route?.name, asking: call.outline.model,
                cache: exchange.responseFields.string("X-Cache"), then: done)
        }
    }

    @inline(never)
    private func answer(_ call: ChatCall, _ candidates: [Candidate], _ entry: Entry) async throws {
        guard let cache = call.cache else { return try await make(call, candidates) }
        if try await answer(call, cache, from: entry.values.first) { return }
        if cache.decision.mayJoin, !call.client.isOneOfSeveral {
            try await answerTogether(call, cache) { try await make(call, candidates) }
        } else {
            try await make(call, candidates)
        }
        keep(call, cache, entry.permit)
    }

    /// What is asked, and who may answer it, as far as that can be said before anybody is asked whether it may be.
    // Not inlined: it takes much room, and those who wait for the answer need none of it.
    @inline(never)
    private func prepare(
        _ request: ReadRequest, _ front: some ChatFront, _ caller: Caller, _ own: OwnRoutes,
        _ exchange: Exchange, _ id: String?, _ sink: ClientStream.Sink?
    ) throws -> (ChatCall, [Candidate]) {
        let model = request.outline.model
        let now = time.timestamp()
        let client = ClientStream(exchange, front, model: model, at: now, id: id, sink: sink)
        let call = ChatCall(exchange, front, caller, request, at: now, id: id, client: client)
        call.fetchesImages = try Self.wantsImagesFetched(call)
        let candidates = try RequestNeeds(of: call, requiresPrices: limits.requiresPrices).filter(
            try candidates(for: model, request.wishes, caller, own, priced: .conversation)
        ) { router.models(with: $0, within: router.reach(of: own), at: now) }
        call.check = try Self.check(wishedBy: call)
        call.cache = try cache(for: call, request, candidates)
        return (call, candidates)
    }

    /// Has the answer made by those who can.
    private func make(_ call: ChatCall, _ candidates: [Candidate]) async throws {
        if let cache = call.cache {
            if cache.decision.maySearch, try await answerSimilar(call, cache) { return }
            noteMiss(cache)
        }
        if call.fetchesImages { try await fetchImages(of: call) }
        try await serveChecked(call, candidates)
    }

    private func attempt(_ call: ChatCall, _ candidate: Candidate) async throws {
        call.candidate = candidate
        switch candidate.place {
        case .sandbox(let model):
            guard model.purpose == .chat else { throw CallFailure.cannot("chat", candidate) }
            try await SandboxAnswer(call, model, candidate).send(by: self)
        case .upstream(let upstream):
            try await request(call, to: upstream, of: candidate).send(by: self)
        }
    }

    // Not inlined, so that what it takes is needed only as long as it lasts.
    @inline(never)
    private func request(
        _ call: ChatCall, to upstream: Upstream, of candidate: Candidate
    ) throws -> UpstreamAttempt {
        guard let chat = candidate.chatCodec(for: call.front.dialect) else {
            throw CallFailure.cannot("chat", candidate)
        }
        return try UpstreamAttempt(call, candidate, upstream, chat, limits: limits)
    }

    func serve(_ call: ChatCall, _ candidates: [Candidate]) async throws {
        do {
            try await tryInTurn(
                candidates, isCommitted: { call.client.hasBegun }, { try await attempt(call, $0) })
        } catch let failure as CallFailure {
            try await tell(failure, to: call)
        }
    }

    // What is seldom needed takes no room of every call.
    @inline(never)
    private func tell(_ failure: CallFailure, to call: ChatCall) async throws {
        if call.client.hasBegun {
            let problem = failure.problem
            logger.warning(
                "stream broke off", ("request_id", "\(call.requestID)"), ("code", "\(problem.code)"),
                ("reason", "\(problem.detail ?? "")"))
            return try await call.client.fail(problem)
        }
        guard let answer = failure.answer else { throw failure }
        call.client.respond(answer.status, answer.body, type: "application/json")
    }

    /// Runs `body` for a caller who may ask models, and says in the dialect of `front` what goes wrong.
    func guarded(
        _ exchange: Exchange, _ front: some ChatFront, _ body: (Arrival) async throws -> Void
    ) async throws {
        nameRequest(exchange, in: front.dialect)
        do {
            let arrival = try await arrival(at: exchange)
            do { try await body(arrival) } catch {
                try await confirmBeforeRefusing(arrival)
                throw error
            }
        } catch {
            // A stream that has begun can only break off.
            if exchange.isCommitted { throw error }
            errors.respond(error, exchange) { front.body($0, requestID: exchange.id) }
        }
    }

    func nameRequest(_ exchange: Exchange, in dialect: ChatDialect) {
        exchange.appendID(as: "X-Request-Id")
        if dialect == .anthropic { exchange.appendID(as: "Request-Id") }
    }

    static func document(_ body: [UInt8]) throws(Problem) -> JSONDocument {
        do throws(JSONError) {
            return try JSONDocument(parsing: body)
        } catch {
            throw Problem(.invalidRequest, code: "invalid_json", "The body is not valid JSON: \(error).")
        }
    }
}
