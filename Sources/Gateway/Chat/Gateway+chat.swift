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
        exchange.responseFields.append("X-Request-Id", exchange.id)
        let caller = try await authenticate(exchange, scope: "inference")
        let request = try OpenAIChatRequest(Self.document(try await exchange.body()))
        guard caller.mayUse(model: request.model) else {
            throw Problem(
                .forbidden, code: "model_not_allowed",
                "This API key may not use the model \"\(request.model)\". Ask an admin of the organization.",
                field: "model")
        }
        if let model = SandboxModel(id: request.model) {
            try await SandboxAnswer(request, model, on: exchange, at: time.timestamp()).send()
        } else if let openAI, let model = OpenAIUpstream.model(of: request.model) {
            try await passThrough(request, as: model, to: openAI, exchange)
        } else {
            throw Problem(
                .notFound, code: "model_not_found",
                "There is no model \"\(request.model.prefix(100))\". GET /v1/models lists those there are.",
                field: "model")
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
