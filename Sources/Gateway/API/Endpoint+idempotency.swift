import Base
import Billing
import HTTPServer
import HTTPWire
import Identity
import Loop

extension Endpoint {
    /// Does what was asked, or answers as it was answered before: where an `Idempotency-Key` is taken and one was sent.
    func once(
        _ call: APICall, _ gateway: Gateway, _ body: () async throws -> Reply
    ) async throws -> Reply {
        guard takesIdempotencyKey, let store = gateway.idempotency, let caller = call.caller,
            let key = call.exchange.request.fields["idempotency-key"]
        else { return try await body() }
        // What was sent is the address, too: the same words about another thing are another request.
        let sent = Array(call.exchange.request.path) + [0] + call.fields.canonical
        let claim = try await store.claim(
            String(decoding: key, as: UTF8.self), at: name, of: caller.organization, body: sent)
        switch claim {
        case .replay(let answer):
            let fields: HTTPFields = ["Idempotent-Replayed": "true"]
            return answer.body.isEmpty
                ? .empty(answer.status, fields) : .json(answer.status, answer.body, fields)
        case .proceed(let attempt):
            let reply: Reply
            do {
                reply = try await body()
            } catch {
                // Where even that fails, the key is free when patience ends. The client may have left, and this goes on.
                await gateway.loop.spawn { try? await store.abandon(attempt) }.value
                throw error
            }
            // It is done, so it is said to be: whoever cannot write it down does not take it back.
            let answer = IdempotencyStore.Answer(status: reply.status, body: reply.bodyOfReplay ?? reply.body)
            await gateway.loop.spawn { try? await store.finish(attempt, with: answer) }.value
            return reply
        }
    }
}
