import Base
import Loop
import TestKit
import Testing

struct OperationTests {
    @Test func `a process that is stuck is not alive, one with an obstacle is not ready`() async throws {
        try await GatewayWorld.run { world in
            #expect(try await world.send("GET", "/livez").status == 200)
            #expect(try await world.send("GET", "/readyz").status == 200)
            world.silence = .seconds(6)
            #expect(try await world.send("GET", "/livez").status == 503)
            world.obstacles = ["the process is stopping"]
            let answer = try await world.send("GET", "/readyz")
            #expect(answer.status == 503 && answer.text.contains("the process is stopping"))
        }
    }

    @Test func `every request is counted by route and class of status`() async throws {
        try await GatewayWorld.run { world in
            let key = world.key()
            for _ in 0..<3 { _ = try await world.complete("sandbox/echo", key: key) }
            _ = try await world.complete("none", key: key)
            _ = try await world.send("GET", "/nowhere")
            let text = try await world.send("GET", "/metrics").text
            #expect(text.contains(#"hivegate_requests_total{route="createChatCompletion",status="2xx"} 3"#))
            #expect(text.contains(#"hivegate_requests_total{route="createChatCompletion",status="4xx"} 1"#))
            #expect(text.contains(#"hivegate_requests_total{route="none",status="4xx"} 1"#))
            #expect(
                text.contains(#"hivegate_request_duration_seconds_count{route="createChatCompletion"} 4"#))
        }
    }

    @Test func `the upstream's models are listed under our name for them, and are not asked for every time`()
        async throws
    {
        let requests = Locked(0)
        let list =
            #"{"object":"list","data":[{"id":"gpt-x","object":"model","created":5,"owned_by":"them"},{"no":1}]}"#
        let script: GatewayWorld.Script = { peer in
            while try await peer.head() != nil {
                requests.withLock { $0 += 1 }
                try await peer.write("HTTP/1.1 200 OK\r\nContent-Length: \(list.utf8.count)\r\n\r\n\(list)")
            }
        }
        try await GatewayWorld.run(upstream: script) { world in
            for _ in 0..<3 {
                let answer = try await world.send("GET", "/v1/models", [("x-api-key", world.key())])
                #expect(
                    answer.text.contains(
                        #""id":"openai/gpt-x","object":"model","created":5,"owned_by":"them""#))
                #expect(answer.text.contains("sandbox/echo"))
            }
            #expect(requests.withLock { $0 } == 1)
        }
    }

    @Test func `an upstream that does not list its models costs only its own`() async throws {
        let script: GatewayWorld.Script = { peer in peer.reset() }
        try await GatewayWorld.run(upstream: script) { world in
            let answer = try await world.send("GET", "/v1/models", [("x-api-key", world.key())])
            #expect(answer.status == 200 && answer.text.contains("sandbox/echo"))
        }
    }
}
