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

    /// Answers a request for a conversation, whatever its dialect, and says in that dialect what goes wrong.
    private func answer(_ exchange: Exchange, as front: some ChatFront) async {
        exchange.responseFields.append("X-Request-Id", exchange.id)
        if front.dialect == .anthropic { exchange.responseFields.append("Request-Id", exchange.id) }
        do {
            let caller = try await authenticate(exchange, scope: "inference")
            let whole = try Self.document(try await exchange.body())
            let outline = try front.outline(whole)
            let (wishes, document) = try RouteWishes.take(from: whole, model: outline.model)
            let candidates = try router.candidates(
                for: outline.model, wishes, caller: caller, at: time.instant())
            let call = ChatCall(exchange, front, caller, document, outline, at: time.timestamp())
            try await serve(call, candidates)
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
