import Base
import HTTPWire
import JSON
import Loop
import TestKit
import Testing

@Suite(.timeLimit(.minutes(3)))
struct ChatSocketTests {
    private static func open(_ world: GatewayWorld) async throws -> SocketClient {
        let client = try await SocketClient.open(world, "Authorization: Bearer \(world.key())\r\n")
        #expect(client.head.hasPrefix("HTTP/1.1 101"))
        return client
    }

    private static func ask(_ id: String, _ model: String = "sandbox/echo", _ more: String = "") -> String {
        #"{"id":"\#(id)","model":"\#(model)","prompt":"hello \#(id)"\#(more)}"#
    }

    @Test func `requests of one socket are answered at once, each under its id`() async throws {
        try await GatewayWorld.run { world in
            let client = try await Self.open(world)
            try await client.send(Self.ask("slow", "sandbox/slow"))
            try await client.send(Self.ask("quick"))
            let first = try await client.messages(toEndOf: "quick")
            let quick = first.filter { $0["id"]?.string == "quick" }
            #expect(quick.first?["type"]?.string == "start" && quick.last?["type"]?.string == "end")
            #expect(quick.compactMap { $0["text"]?.string }.joined() == "Sandbox echo: hello quick")
            let rest = try await client.messages(toEndOf: "slow")
            #expect(rest.last?["finish_reason"]?.string == "stop")
            client.close()
        }
    }

    @Test func `a request that is cancelled ends, and its id is free again`() async throws {
        let closed = Locked(0)
        let script: GatewayWorld.Script = { peer in
            _ = try await peer.head()
            try await peer.waitForClose()
            closed.withLock { $0 += 1 }
        }
        try await GatewayWorld.run(upstream: script) { world in
            let client = try await Self.open(world)
            for _ in 0..<2 {
                try await client.send(Self.ask("a", "openai/gpt-x"))
                try await client.send(#"{"id":"a","type":"cancel"}"#)
                let messages = try await client.messages(toEndOf: "a")
                #expect(messages.last?["finish_reason"]?.string == "cancelled")
            }
            client.close()
        }
    }

    @Test func `a socket that closes cancels what was asked on it`() async throws {
        let reached = Locked(0)
        let closed = Locked(0)
        let script: GatewayWorld.Script = { peer in
            _ = try await peer.head()
            reached.withLock { $0 += 1 }
            try await peer.waitForClose()
            closed.withLock { $0 += 1 }
        }
        try await GatewayWorld.run(upstream: script) { world in
            let client = try await Self.open(world)
            for id in ["a", "b", "c"] { try await client.send(Self.ask(id, "openai/gpt-x")) }
            while reached.withLock({ $0 }) < 3 { try await world.loop.sleep(for: .milliseconds(5)) }
            client.close()
            let deadline = Instant.now() + .seconds(60)
            while closed.withLock({ $0 }) < 3, Instant.now() < deadline {
                try await world.loop.sleep(for: .milliseconds(5))
            }
            #expect(closed.withLock { $0 } == 3)
        }
    }

    @Test func `whoever does not read stops the provider`() async throws {
        let written = Locked(0)
        let isStopped = Locked(false)
        let script: GatewayWorld.Script = { peer in
            _ = try await peer.head()
            try await peer.write(
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
            let word = String(repeating: "x", count: 32_768)
            let event = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\(word)\"}}]}\n\n"
            while !isStopped.withLock({ $0 }) {
                try await peer.write(event)
                written.withLock { $0 += event.utf8.count }
            }
        }
        try await GatewayWorld.run(upstream: script) { world in
            let client = try await Self.open(world)
            try await client.send(Self.ask("a", "openai/gpt-x"))
            // As long as it takes until nothing moves any more.
            var before = -1
            while before != written.withLock({ $0 }) || before == 0 {
                before = written.withLock { $0 }
                try await world.loop.sleep(for: .milliseconds(500))
            }
            #expect(before < 64 * 1024 * 1024)
            isStopped.withLock { $0 = true }
            client.close()
        }
    }

    @Test func `what is wrong with a request ends that request and no other`() async throws {
        try await GatewayWorld.run { world in
            let client = try await Self.open(world)
            try await client.send(#"{"id":"a","model":"sandbox/echo"}"#)
            let fields = try await client.messages(toEndOf: "a")
            #expect(fields.last?["error"]?["code"]?.string == "invalid_fields")
            try await client.send(Self.ask("b", "none/none"))
            #expect(
                try await client.messages(toEndOf: "b").last?["error"]?["code"]?.string == "model_not_found")
            try await client.send(#"{"id":"c","type":"dance"}"#)
            #expect(try await client.messages(toEndOf: "c").last?["type"]?.string == "error")
            try await client.send(Self.ask("d", "sandbox/flaky", #","seed":2"#))
            #expect(
                try await client.messages(toEndOf: "d").last?["error"]?["code"]?.string == "sandbox_fault")
            try await client.send(Self.ask("e", "sandbox/echo", #","stream":false"#))
            #expect(try await client.messages(toEndOf: "e").last?["type"]?.string == "error")
            try await client.send(Self.ask("f"))
            #expect(try await client.messages(toEndOf: "f").last?["type"]?.string == "end")
            client.close()
        }
    }

    @Test func `more requests at once than there may be are refused one by one`() async throws {
        let script: GatewayWorld.Script = { peer in
            _ = try await peer.head()
            try await peer.waitForClose()
        }
        try await GatewayWorld.run(upstream: script) { world in
            let client = try await Self.open(world)
            for number in 0...16 { try await client.send(Self.ask("r\(number)", "openai/gpt-x")) }
            let refused = try await client.messages(toEndOf: "r16")
            #expect(refused.last?["error"]?["code"]?.string == "too_many_requests")
            client.close()
        }
    }

    @Test(arguments: [
        (WebSocketOpcode.binary, "{}", WebSocketCloseCode.unsupportedData),
        (.text, "no", .invalidText),
        (.text, "{}", .policyViolation),
        (.text, #"{"id":""}"#, .policyViolation),
        (.text, #"{"id":7}"#, .policyViolation),
        (.text, "", .invalidText),
    ])
    func `whoever does not keep to the rules of the socket is told so, and it closes`(
        opcode: WebSocketOpcode, payload: String, code: WebSocketCloseCode
    ) async throws {
        try await GatewayWorld.run { world in
            let client = try await Self.open(world)
            try await client.send(opcode, Array(payload.utf8))
            guard case .close(let given, _) = try await client.next() else {
                Issue.record("the socket does not close")
                return
            }
            #expect(given == code)
            client.close()
        }
    }

    @Test func `a message that is too large closes the socket before it is read`() async throws {
        try await GatewayWorld.run { world in
            let client = try await Self.open(world)
            try await client.send(.text, [UInt8](repeating: 0x20, count: 4 * 1024 * 1024 + 1))
            guard case .close(let code, _) = try await client.next() else {
                Issue.record("the socket does not close")
                return
            }
            #expect(code == .messageTooBig)
            client.close()
        }
    }

    @Test func `an id that is in use closes the socket`() async throws {
        try await GatewayWorld.run { world in
            let client = try await Self.open(world)
            for _ in 0..<2 { try await client.send(Self.ask("a", "sandbox/slow")) }
            var action = try await client.next()
            while case .text = action { action = try await client.next() }
            guard case .close(let code, _) = action else {
                Issue.record("the socket does not close")
                return
            }
            #expect(code == .policyViolation)
            client.close()
        }
    }

    @Test func `a browser's key comes as a protocol, and is not said back`() async throws {
        try await GatewayWorld.run { world in
            let key = world.key()
            let client = try await SocketClient.open(
                world, "Sec-WebSocket-Protocol: hivegate, hivegate.key.\(key)\r\n")
            #expect(client.head.hasPrefix("HTTP/1.1 101"))
            #expect(
                client.head.contains("Sec-WebSocket-Protocol: hivegate\r\n") && !client.head.contains(key))
            try await client.send(Self.ask("a"))
            #expect(try await client.messages(toEndOf: "a").last?["type"]?.string == "end")
            client.close()
        }
    }

    @Test func `without a key, or without a handshake, no socket opens`() async throws {
        try await GatewayWorld.run { world in
            for fields in [
                "", "Sec-WebSocket-Protocol: hivegate.key.none\r\n", "Authorization: Bearer x\r\n",
            ] {
                let client = try await SocketClient.open(world, fields)
                #expect(client.head.hasPrefix("HTTP/1.1 401"))
                client.close()
            }
            let key = world.key()
            let query = try await world.send("GET", "/api/v1/chat/ws?key=\(key)")
            #expect(query.status == 401)
            let plain = try await world.send(
                "GET", "/api/v1/chat/ws", [("Authorization", "Bearer \(key)")])
            #expect(plain.status == 426)
        }
    }
}
