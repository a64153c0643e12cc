import Admission
import Base
import Chat
import HTTPClient
import HTTPServer
import HTTPWire
import Identity
import JSON
import Providers

/// What is asked and answered whole: vectors and images.
extension Gateway {
    /// `POST /v1/embeddings`
    func embeddings(_ exchange: Exchange) async throws {
        try await guarded(exchange, OpenAIChatFront()) { arrival in
            let front = OpenAIEmbeddingFront()
            let document = try Self.document(try await exchange.body())
            let request = try front.request(document)
            let tokens = { (candidate: Candidate) in
                self.tokenBound.tokens(in: document.bytes.count, candidate)
            }
            let reply = try await answer(
                exchange, document, model: request.model, .embedding, arrival, tokens: tokens,
                most: { CostBound.most(ofInput: tokens, $0) },
                attempt: { try await self.embed(request, by: $0, for: $1) })
            exchange.respond(
                200, ["Content-Type": "application/json"], body: front.body(reply, to: request))
        }
    }

    /// Has `candidate` make the vectors.
    func embed(
        _ request: EmbeddingRequest, by candidate: Candidate, for attempts: CallAttempts,
        deadlines: HTTPClientRequest.Deadlines? = nil
    ) async throws -> EmbeddingReply {
        if case .sandbox(.embed) = candidate.place {
            return try await draft(candidate, for: attempts, cost: request.cost(of:)) {
                SandboxEmbedding.reply(to: request)
            }
        }
        guard case .upstream(let upstream) = candidate.place,
            let codec = upstream.settings.embeddings
        else { throw CallFailure.cannot("embeddings", candidate) }
        let encoded = try Self.said { () throws(UpstreamRequest.Unsayable) in
            try codec.encode(request, model: candidate.target.model)
        }
        return try await answer(
            to: encoded, from: upstream, of: candidate, for: attempts, deadlines: deadlines,
            cost: request.cost(of:), fault: { codec.fault(status: $0, body: $1) },
            decode: { body throws(UpstreamFault) in
                try codec.decode(body, inputCount: request.inputs.count)
            })
    }

    /// `POST /v1/images/generations`
    func images(_ exchange: Exchange) async throws {
        try await guarded(exchange, OpenAIChatFront()) { arrival in
            let front = OpenAIImageFront()
            let document = try Self.document(try await exchange.body())
            let request = try front.request(document)
            let tokens = { (candidate: Candidate) in
                self.tokenBound.tokens(in: document.bytes.count, candidate)
            }
            let reply = try await answer(
                exchange, document, model: request.model, .image, arrival, tokens: tokens,
                most: { CostBound.most(ofImages: request.count, input: tokens, $0) },
                attempt: { candidate, attempts in
                    if case .sandbox(.image) = candidate.place {
                        return try await self.draft(candidate, for: attempts, cost: request.cost(of:)) {
                            SandboxImage.reply(to: request)
                        }
                    }
                    guard case .upstream(let upstream) = candidate.place, let codec = upstream.settings.images
                    else { throw CallFailure.cannot("images", candidate) }
                    return try await self.draw(request, candidate, upstream, codec, for: attempts)
                })
            exchange.respond(
                200, ["Content-Type": "application/json"],
                body: front.body(reply, to: request, created: time.timestamp()))
        }
    }

    private func answer<Reply>(
        _ exchange: Exchange, _ document: JSONDocument, model: String,
        _ kind: AttemptReport.Kind, _ arrival: Arrival, tokens: (Candidate) -> Int,
        most: ([Candidate]) -> Int64?, attempt: (Candidate, CallAttempts) async throws -> Reply
    ) async throws -> Reply {
        let (wishes, _) = try RouteWishes.take(from: document, model: model)
        let (candidates, entry) = try await admitted(
            arrival, asking: model, wishes, in: kind == .image ? .images : .embeddings,
            priced: kind == .image ? .images : .vectors,
            tokens: { Int64(tokens($0)) }, tags: { RequestTags.tags(of: document) }, most: most, exchange)
        let attempts = CallAttempts(exchange.id, of: arrival.caller, kind)
        let permit = entry.permit
        defer { gatekeeper.settle(permit, tokens: attempts.tokens) }
        attempts.isMetered = metersCalls
        attempts.wouldRefuse = entry.refusedBy
        attempts.counting = entry.counting
        attempts.tags = RequestTags.tags(of: document)
        let ending =
            metersCalls
            ? BeforeEnd { [self] done in
                settle(permit, attempts, endpoint: exchange.route?.name, asking: model, then: done)
            } : nil
        let reply: Reply
        do {
            reply = try await tryInTurn(candidates) { candidate in
                let reply = try await attempt(candidate, attempts)
                nameServer(candidate, attempts: attempts, exchange)
                return reply
            }
        } catch {
            await ending?.run()
            throw error
        }
        await ending?.run()
        return reply
    }

    /// An answer of the sandbox.
    private func draft<Reply>(
        _ candidate: Candidate, for attempts: CallAttempts, cost: (Reply?) -> Attempt.Cost,
        _ reply: () -> Reply
    ) async throws -> Reply {
        try await attempt(candidate, for: attempts, cost: cost) { attempt in
            attempt.began(at: time.instant())
            return reply()
        }
    }

    // MARK: Images

    /// In one request, or in one for each image where the provider draws one at a time.
    private func draw(
        _ request: ImageRequest, _ candidate: Candidate, _ upstream: Upstream, _ codec: any ImageCodec,
        for attempts: CallAttempts
    ) async throws -> ImageReply {
        func encode(_ request: ImageRequest) throws(UpstreamRequest.Unsayable) -> UpstreamRequest {
            try codec.encode(request, model: candidate.target.model)
        }
        func reply(to encoded: UpstreamRequest, for request: ImageRequest) async throws -> ImageReply {
            try await answer(
                to: encoded, from: upstream, of: candidate, for: attempts, cost: request.cost(of:),
                fault: { codec.fault(status: $0, body: $1) },
                decode: { body throws(UpstreamFault) in try codec.decode(body) })
        }
        let encoded: UpstreamRequest
        do throws(UpstreamRequest.Unsayable) { encoded = try encode(request) } catch {
            guard error.field == "n", request.count > 1 else { throw CallFailure(Problem(error), .elsewhere) }
            var images: [ImageReply] = []
            for number in 0..<request.count {
                var single = request
                single.count = 1
                // The same seed would draw the same image.
                single.seed = request.seed.map { $0 &+ number }
                let encoded = try Self.said { () throws(UpstreamRequest.Unsayable) in try encode(single) }
                images.append(try await reply(to: encoded, for: single))
            }
            return ImageReply(joining: images)
        }
        return try await reply(to: encoded, for: request)
    }

    private static func said(
        _ encode: () throws(UpstreamRequest.Unsayable) -> UpstreamRequest
    ) throws(CallFailure) -> UpstreamRequest {
        do throws(UpstreamRequest.Unsayable) { return try encode() } catch {
            throw CallFailure(Problem(error), .elsewhere)
        }
    }
}

extension EmbeddingRequest {
    fileprivate func cost(of reply: EmbeddingReply?) -> Attempt.Cost {
        var usage = ChatUsage(input: reply?.inputTokens ?? estimatedTokens)
        usage.isEstimated = reply?.inputTokens == nil
        return Attempt.Cost(usage: usage)
    }
}

extension ImageRequest {
    /// A provider that counts images says nothing of tokens.
    fileprivate func cost(of reply: ImageReply?) -> Attempt.Cost {
        if let reply {
            return Attempt.Cost(usage: reply.usage.map(ChatUsage.init), imageCount: reply.images.count)
        }
        var usage = ChatUsage(input: TokenEstimate.tokens(in: prompt))
        usage.isEstimated = true
        return Attempt.Cost(usage: usage, imageCount: count)
    }
}

extension ChatUsage {
    fileprivate init(_ usage: ImageReply.Usage) {
        self.init(input: usage.textInput)
        imageInput = usage.imageInput
        imageOutput = usage.output
    }
}

extension ImageReply {
    /// `replies` are at least one.
    fileprivate init(joining replies: [ImageReply]) {
        self = replies[0]
        for reply in replies.dropFirst() {
            images += reply.images
            guard let more = reply.usage else { continue }
            usage?.textInput += more.textInput
            usage?.imageInput += more.imageInput
            usage?.output += more.output
        }
    }
}
