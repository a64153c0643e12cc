import Base
import HTTPServer
import HTTPWire
import Identity
import JSON

extension Gateway {
    /// `GET /v1/models`
    func listModels(_ exchange: Exchange) async throws {
        exchange.responseFields.append("X-Request-Id", exchange.id)
        let caller = try await authenticate(exchange, scope: .inference)
        let reach = try await reach(of: caller)
        exchange.respond(
            200, ["Content-Type": "application/json"],
            body: try await models.json(within: reach, for: caller.modelRights))
    }

    /// `GET /v1/models/{model_id}`
    func showListedModel(_ exchange: Exchange) async throws {
        exchange.responseFields.append("X-Request-Id", exchange.id)
        let caller = try await authenticate(exchange, scope: .inference)
        let reach = try await reach(of: caller)
        let rights = caller.modelRights
        let name = exchange.parameters["model_id"] ?? ""
        guard let body = try await models.json(named: name, within: reach, for: rights) else {
            throw Problem.noModel(
                name, suggestions: suggestions(for: name, reach, rights, onlyAvailable: true))
        }
        exchange.respond(200, ["Content-Type": "application/json"], body: body)
    }

    /// `GET /livez`: do the loops tick? A process that fails this is to be restarted.
    func livez(_ exchange: Exchange) {
        let isAlive = health.silence() < HealthReport.longestSilence
        answer(exchange, obstacles: isAlive ? [] : ["an event loop is stuck"])
    }

    /// `GET /readyz`: should requests come here? One that fails this is left alone until it recovers.
    func readyz(_ exchange: Exchange) {
        answer(exchange, obstacles: health.obstacles())
    }

    private static let healthFields: HTTPFields = [
        "Content-Type": "application/json", "Cache-Control": "no-store",
    ]
    private static let isWell = Array(#"{"status":"ok"}"#.utf8)

    private func answer(_ exchange: Exchange, obstacles: [String]) {
        if obstacles.isEmpty { return exchange.respond(200, Self.healthFields, body: Self.isWell) }
        var json = JSONWriter()
        json.object { json in
            json.field("status", "unavailable")
            json.array("reasons") { json in for reason in obstacles { json.value(reason) } }
        }
        exchange.respond(503, Self.healthFields, body: json.bytes)
    }

    /// `GET /metrics`
    func showMetrics(_ exchange: Exchange) {
        exchange.respond(
            200, ["Content-Type": "text/plain; version=0.0.4; charset=utf-8"], body: metrics.render())
    }
}
