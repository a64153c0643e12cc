import Base
import Cache
import Gateway
import HTTPClient
import JSON
import Loop
import TestKit
import Testing

/// What clients notice who ask the same at the same time.
@Suite struct JoiningTests {
    /// An upstream that waits for `open` before it answers, and says how often it was asked.
    private static func upstream(
        _ asked: Locked<Int>, isOpen: Locked<Bool>, failing: Int = 0
    ) -> GatewayWorld.Script {
        { peer in
            guard let head = try await peer.head() else { return }
            let length = head.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }?
                .split(separator: " ").last.flatMap { Int($0) }
            let body = String(decoding: try await peer.read(length ?? 0) ?? [], as: UTF8.self)
            let number = asked.withLock { count in
                defer { count += 1 }
                return count
            }
            let isStream = body.contains(#""stream":true"#)
            if isStream, number >= failing {
                try await peer.write(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
                        + Self.chunk(number, "first "))
            }
            while !isOpen.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(5)) }
            if number < failing {
                return try await peer.write(
                    "HTTP/1.1 500 Oops\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}")
            }
            if isStream {
                return try await peer.write(
                    Self.chunk(number, "last")
                        + #"data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#
                        + "\n\ndata: [DONE]\n\n")
            }
            let answer =
                #"{"choices":[{"index":0,"message":{"role":"assistant","content":"answer \#(number)"},"#
                + #""finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":2}}"#
            try await peer.write(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
                    + "Content-Length: \(answer.utf8.count)\r\n\r\n\(answer)")
        }
    }

    private static func chunk(_ number: Int, _ piece: String) -> String {
        #"data: {"choices":[{"index":0,"delta":{"content":"\#(piece)\#(number)"}}]}"# + "\n\n"
    }

    private struct Scene {
        let asked = Locked(0)
        let isOpen = Locked(false)
    }

    private static func run(
        failing: Int = 0, _ body: @escaping @Sendable (GatewayWorld, Scene) async throws -> Void
    ) async throws {
        let scene = Scene()
        try await onLoop { loop in
            try await PrivateRedis.with(on: loop) { redis in
                var limits = Gateway.Limits()
                limits.cachePolicy.isEnabled = true
                limits.repetitions = 0
                try await GatewayWorld.run(
                    upstreams: ["openai": upstream(scene.asked, isOpen: scene.isOpen, failing: failing)],
                    limits: limits, redis: redis
                ) { try await body($0, scene) }
            }
        }
    }

    private static func ask(
        _ world: GatewayWorld, _ key: String, isStreaming: Bool = false,
        _ fields: [(name: String, value: String)] = []
    ) async throws -> GatewayWorld.Answer {
        let body =
            #"{"model":"openai/m","messages":[{"role":"user","content":"hi"}],"stream":\#(isStreaming)}"#
        return try await world.send(
            "POST", "/v1/chat/completions", [("Authorization", "Bearer \(key)")] + fields, body: body)
    }

    @Test(arguments: [false, true])
    func `twenty who ask the same at once are answered by one call, all alike`(isStreaming: Bool) async throws
    {
        try await Self.run { world, scene in
            let key = world.key()
            let answers = try await withThrowingTaskGroup(of: GatewayWorld.Answer.self) { group in
                for _ in 0..<20 { group.addTask { try await Self.ask(world, key, isStreaming: isStreaming) } }
                try await world.loop.sleep(for: .milliseconds(150))
                scene.isOpen.withLock { $0 = true }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(scene.asked.withLock { $0 } == 1)
            #expect(answers.allSatisfy { $0.status == 200 && $0.body == answers[0].body })
            #expect(answers.filter { $0["x-cache"] == "MISS" }.count == 1)
            #expect(answers.filter { $0["x-cache"] == "COALESCED" }.count == 19)
            #expect(answers.allSatisfy { $0["x-hivegate-provider"] == "openai" })
        }
    }

    @Test func `who does not want to be answered with others asks alone`() async throws {
        try await Self.run { world, scene in
            let key = world.key()
            scene.isOpen.withLock { $0 = true }
            async let one = Self.ask(world, key, [("X-Hivegate-Cache", "off")])
            async let two = Self.ask(world, key, [("X-Hivegate-Cache", "off")])
            _ = try await (one, two)
            #expect(scene.asked.withLock { $0 } == 2)
        }
    }

    @Test(arguments: [false, true])
    func `the first may leave, and the others get the answer all the same`(isStreaming: Bool) async throws {
        try await Self.run { world, scene in
            let key = world.key()
            let first = world.loop.spawn { _ = try? await Self.ask(world, key, isStreaming: isStreaming) }
            try await world.loop.sleep(for: .milliseconds(100))
            async let second = Self.ask(world, key, isStreaming: isStreaming)
            try await world.loop.sleep(for: .milliseconds(100))
            first.cancel()
            await first.value
            try await world.loop.sleep(for: .milliseconds(50))
            scene.isOpen.withLock { $0 = true }
            let answer = try await second
            #expect(answer.status == 200)
            #expect(answer.text.contains(isStreaming ? "last0" : "answer 0"))
            #expect(scene.asked.withLock { $0 } == 1)
        }
    }

    @Test func `where everybody leaves, the provider is left too`() async throws {
        try await Self.run { world, scene in
            let key = world.key()
            let clients = (0..<3).map { _ in
                world.loop.spawn { _ = try? await Self.ask(world, key, isStreaming: true) }
            }
            try await world.loop.sleep(for: .milliseconds(100))
            for client in clients { client.cancel() }
            for client in clients { await client.value }
            try await world.loop.sleep(for: .milliseconds(100))
            // A new one finds nobody to join.
            scene.isOpen.withLock { $0 = true }
            #expect(try await Self.ask(world, key, isStreaming: true)["x-cache"] == "MISS")
            #expect(scene.asked.withLock { $0 } == 2)
        }
    }

    @Test func `a first who fails does not fail the others`() async throws {
        try await Self.run(failing: 1) { world, scene in
            let key = world.key()
            let answers = try await withThrowingTaskGroup(of: GatewayWorld.Answer.self) { group in
                for _ in 0..<10 { group.addTask { try await Self.ask(world, key) } }
                try await world.loop.sleep(for: .milliseconds(100))
                scene.isOpen.withLock { $0 = true }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.filter { $0.status != 200 }.count == 1)
            #expect(scene.asked.withLock { $0 } == 2)
        }
    }
}
