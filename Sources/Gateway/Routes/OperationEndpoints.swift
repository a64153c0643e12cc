import HTTPServer
import HTTPWire

/// What those ask who run the gateway, and the description of the API.
enum OperationEndpoints {
    static let all = [livez, readyz, metrics, document]

    private static let group = "Operation"

    private static let well = AnswerDescription(
        200, "It is.", .object([Field("status", .choice(["ok"]), "Always `ok`.")]),
        example: #"{"status":"ok"}"#)

    private static let unwell = AnswerDescription(
        503, "It is not.",
        .object([
            Field("status", .choice(["unavailable"]), "Always `unavailable`."),
            Field("reasons", .array(of: .string(1...1000), 1...100), "Why, for people."),
        ]),
        example: #"{"status":"unavailable","reasons":["the process is stopping"]}"#)

    private static let livez = Endpoint(
        .get, "/livez", "livez", group: group, "Whether the process works.",
        description: "A process that fails this is to be restarted.", access: .open, answers: [well, unwell],
        direct: { gateway in { exchange in gateway(exchange.loop).livez(exchange) } })

    private static let readyz = Endpoint(
        .get, "/readyz", "readyz", group: group, "Whether requests should come here.",
        description: "A process that fails this is to be left alone until it recovers.", access: .open,
        answers: [well, unwell],
        direct: { gateway in { exchange in gateway(exchange.loop).readyz(exchange) } })

    private static let metrics = Endpoint(
        .get, "/metrics", "metrics", group: group, "What the process counts, for Prometheus.", access: .open,
        answers: [
            AnswerDescription(
                200, "The counters.",
                example: "hivegate_requests_total{route=\"livez\",status=\"2xx\"} 12\n",
                mediaType: "text/plain")
        ],
        direct: { gateway in { exchange in gateway(exchange.loop).showMetrics(exchange) } })

    private static let document = Endpoint(
        .get, "/openapi.json", "getDocument", group: group, "This description of the API.", access: .open,
        answers: [
            AnswerDescription(200, "An OpenAPI 3.1 document.", .openObject([])),
            AnswerDescription(304, "It is as `If-None-Match` says."),
            AnswerDescription(429, "Too many requests. Come back after `Retry-After`."),
        ],
        direct: { gateway in
            { exchange in
                try await gateway(exchange.loop).admitAddress(of: exchange)
                RouteTable.document.answer(exchange)
            }
        })
}

extension OpenAPIDocument {
    fileprivate func answer(_ exchange: Exchange) {
        let fields: HTTPFields = ["ETag": entityTag, "Cache-Control": "no-cache"]
        let known = exchange.request.fields.values("if-none-match")
        if EntityTagCondition.matches(known, tag: Array(entityTag.utf8)) {
            return exchange.respond(304, fields)
        }
        var described: HTTPFields = ["Content-Type": "application/json"]
        described.append(contentsOf: fields)
        exchange.respond(200, described, body: bytes)
    }
}
