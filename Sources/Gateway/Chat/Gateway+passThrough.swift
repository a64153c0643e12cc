import Base
import HTTPClient
import HTTPServer
import HTTPWire
import Providers

extension Gateway {
    /// Sends a request to an upstream of the same dialect, and its answer back, byte for byte.
    func passThrough(
        _ request: OpenAIChatRequest, as model: String, to upstream: OpenAIUpstream, _ exchange: Exchange
    ) async throws {
        let upstreamRequest = HTTPClientRequest(
            "POST", url: upstream.chatURL, fields: upstream.fields, body: .bytes(request.body(model: model)),
            deadlines: limits.upstream)
        exchange.responseFields.append("X-Hivegate-Provider", "openai")
        exchange.responseFields.append("X-Hivegate-Model", model)
        try await client.withResponse(upstreamRequest) { response in
            let type = response["content-type"] ?? "application/json"
            if response.status != 200 {
                try await refuse(response, exchange)
            } else if type.hasPrefix("text/event-stream") {
                try await relay(response, to: exchange)
            } else {
                let body = try await response.body(limit: limits.largestAnswer)
                exchange.respond(200, ["Content-Type": type], body: body)
            }
        }
    }

    private func refuse(_ response: HTTPClientResponse, _ exchange: Exchange) async throws {
        let retryAfter = response["retry-after"]
        if let problem = OpenAIUpstream.problem(status: response.status, retryAfter: retryAfter) {
            throw problem
        }
        let body = try await response.body(limit: limits.largestAnswer)
        var fields: HTTPFields = ["Content-Type": response["content-type"] ?? "application/json"]
        if let retryAfter { fields.append("Retry-After", retryAfter) }
        exchange.respond(response.status, fields, body: body)
    }

    /// Passes events on as they come. What breaks off is said in an event of its own, and never looks like an end.
    private func relay(_ response: HTTPClientResponse, to exchange: Exchange) async throws {
        let stream = try await exchange.stream(
            200, ["Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"])
        var relay = OpenAIStreamRelay()
        do {
            while let piece = try await response.next() {
                let events = try relay.take(piece)
                if !events.isEmpty { try await stream.write(events) }
            }
            guard relay.isDone else { throw HTTPClientError(.connectionLost, mayHaveExecuted: true) }
        } catch let error as HTTPClientError where error.kind != .cancelled {
            let problem = ErrorResponder.problem(error)
            logger.warning(
                "stream broke off", ("request_id", "\(exchange.id)"), ("reason", "\(error.debugDescription)"))
            try await stream.write(OpenAIProblem.event(problem, requestID: exchange.id))
        }
    }
}
