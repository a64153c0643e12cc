import JSON
import TestKit
import Testing

/// A list of models as a provider was recorded to give it, and as a client of the gateway sees it.
struct RecordedModelListTests {
    @Test(
        .enabled(if: RecordedExchange.areThere), arguments: RecordedExchange.all("cerebras_v1_models_200"))
    func `each model that a provider lists can be named by its clients`(exchange: RecordedExchange)
        async throws
    {
        let listed = try JSONDocument(parsing: exchange.responseBody)["data"]?.elements.map { $0 } ?? []
        #expect(!listed.isEmpty)
        let answer =
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
            + "Content-Length: \(exchange.responseBody.count)\r\n\r\n"
        let script: GatewayWorld.Script = { peer in
            guard let head = try await peer.head() else { return }
            guard head.hasPrefix("GET /models ") else { return }
            try await peer.write(answer + String(decoding: exchange.responseBody, as: UTF8.self))
        }
        try await GatewayWorld.run(upstreams: ["cerebras": script]) { world in
            let key = [(name: "x-api-key", value: world.key())]
            let list = try JSONDocument(
                parsing: try await world.send("GET", "/v1/models", key).body
            )
            let shown = list["data"]?.elements.filter { $0["owned_by"]?.string == "Cerebras" } ?? []
            #expect(shown.map { $0["id"]?.string } == listed.map { "cerebras/\($0["id"]?.string ?? "")" })
            for (one, other) in zip(shown, listed) {
                #expect(one["object"]?.string == "model" && one["created"]?.int == other["created"]?.int)
                let id = try #require(one["id"]?.string)
                let alone = try await world.send(
                    "GET", "/v1/models/\(id)", key)
                #expect(try JSONDocument(parsing: alone.body).root == one)
            }
        }
    }
}
