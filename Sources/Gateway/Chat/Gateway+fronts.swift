import Base
import Chat
import HTTPServer
import HTTPWire
import Identity
import JSON
import Providers

extension Gateway {
    /// `POST /v1/chat/completions`
    func chatCompletions(_ exchange: Exchange) async throws {
        await answer(exchange, as: OpenAIChatFront())
    }

    /// `POST /v1/messages`
    func messages(_ exchange: Exchange) async throws {
        await answer(exchange, as: AnthropicFront())
    }

    /// `POST /v1/messages/count_tokens`
    func countTokens(_ exchange: Exchange) async throws {
        let front = AnthropicFront()
        await guarded(exchange, front) { caller in
            let document = try Self.document(try await exchange.body())
            let request = try front.countRequest(document)
            let candidates = try router.candidates(
                for: request.model, RouteWishes(), caller: caller, at: time.instant())
            let count = try await count(request, by: candidates[0])
            if count.isEstimated { exchange.responseFields.append("X-Hivegate-Estimated", "true") }
            exchange.respond(
                200, ["Content-Type": "application/json"], body: front.countBody(tokens: count.tokens))
        }
    }

    /// As the provider counts them, or as we guess where it does not say.
    private func count(
        _ request: ChatRequest, by candidate: Candidate
    ) async throws -> (tokens: Int, isEstimated: Bool) {
        guard case .upstream(let upstream) = candidate.place, let codec = upstream.codec as? any TokenCounting
        else { return (TokenEstimate.tokens(in: request.messages), true) }
        let encoded: UpstreamRequest
        do throws(UpstreamRequest.Unsayable) {
            encoded = try codec.encodeCount(request, for: candidate.target)
        } catch { throw Problem(error) }
        let body = try await ask(upstream, encoded)
        do throws(UpstreamFault) { return (try codec.decodeCount(body), false) } catch {
            throw CallFailure(error, retryAfter: nil).problem
        }
    }

    /// Answers a request for a conversation, whatever its dialect, and says in that dialect what goes wrong.
    private func answer(_ exchange: Exchange, as front: some ChatFront) async {
        await guarded(exchange, front) { caller in
            let whole = try Self.document(try await exchange.body())
            let outline = try front.outline(whole)
            let (wishes, document) = try RouteWishes.take(from: whole, model: outline.model)
            let candidates = try router.candidates(
                for: outline.model, wishes, caller: caller, at: time.instant())
            let call = ChatCall(exchange, front, caller, document, outline, at: time.timestamp())
            try await serve(call, candidates)
        }
    }

    /// Runs `body` for a caller who may ask models, and says in the dialect of `front` what goes wrong.
    private func guarded(
        _ exchange: Exchange, _ front: some ChatFront, _ body: (Caller) async throws -> Void
    ) async {
        exchange.responseFields.append("X-Request-Id", exchange.id)
        if front.dialect == .anthropic { exchange.responseFields.append("Request-Id", exchange.id) }
        do {
            try await body(try await authenticate(exchange, scope: "inference"))
        } catch {
            errors.respond(error, exchange) { front.body($0, requestID: exchange.id) }
        }
    }

    static func document(_ body: [UInt8]) throws(Problem) -> JSONDocument {
        do throws(JSONError) {
            return try JSONDocument(parsing: body)
        } catch {
            throw Problem(.invalidRequest, code: "invalid_json", "The body is not valid JSON: \(error).")
        }
    }
}
