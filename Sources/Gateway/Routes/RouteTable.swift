package import HTTPServer
import HTTPWire
package import Loop

/// Every address of the API, with what answers it and who may call it.
package enum RouteTable {
    /// `gateway` gives the gateway of a loop.
    package static func routes(_ gateway: @escaping @Sendable (EventLoop) -> Gateway) -> [Route] {
        [
            Route(
                .post, "/v1/chat/completions",
                RouteMetadata(
                    "createChatCompletion", access: "key:inference",
                    summary: "Answers a conversation, whole or as a stream.", group: "Chat")
            ) { exchange in try await gateway(exchange.loop).chatCompletions(exchange) },
            Route(
                .get, "/v1/models",
                RouteMetadata(
                    "listModels", access: "key:inference", summary: "Lists the models that can be named.",
                    group: "Models")
            ) { exchange in try await gateway(exchange.loop).listModels(exchange) },
            Route(
                .get, "/livez",
                RouteMetadata(
                    "livez", access: "public", summary: "Whether the process works.", group: "Operation")
            ) { exchange in gateway(exchange.loop).livez(exchange) },
            Route(
                .get, "/readyz",
                RouteMetadata(
                    "readyz", access: "public", summary: "Whether requests should come here.",
                    group: "Operation")
            ) { exchange in gateway(exchange.loop).readyz(exchange) },
            Route(
                .get, "/metrics",
                RouteMetadata(
                    "metrics", access: "public", summary: "What the process counts, for Prometheus.",
                    group: "Operation")
            ) { exchange in gateway(exchange.loop).showMetrics(exchange) },
        ]
    }
}
