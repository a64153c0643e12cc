import Base
import Chat
import Gateway
import Loop
import TestKit
import Testing

/// What is counted of each request to a provider, however it ends.
struct UsageTests {
    private static let streamHead =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
    private static let word = "data: {\"choices\":[{\"delta\":{\"content\":\"honey \"}}]}\n\n"
    private static let end = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
    private static let usage =
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":40,\"completion_tokens\":12,"
        + "\"prompt_tokens_details\":{\"cached_tokens\":30}}}\n\n"
    private static let done = "data: [DONE]\n\n"

    private static func script(_ answer: String, thenWaits: Bool = false) -> GatewayWorld.Script {
        { peer in
            guard let head = try await peer.head() else { return }
            let length = head.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }?
                .split(separator: " ").last
            _ = try await peer.read(length.flatMap { Int($0) } ?? 0)
            try await peer.write(answer)
            if thenWaits { try await peer.waitForClose() }
        }
    }

    /// The report of one streamed request.
    private func report(_ answer: String) async throws -> AttemptReport {
        let reports = Locked<[AttemptReport]>([])
        try await GatewayWorld.run(upstream: Self.script(answer)) { world in
            world.onReport = { report in reports.withLock { $0.append(report) } }
            _ = try await world.complete("openai/x", key: world.key(), #","stream":true"#)
        }
        return try #require(reports.withLock { $0.first })
    }

    @Test func `a stream's usage is known though its client did not ask for it`() async throws {
        let report = try await report(Self.streamHead + Self.word + Self.end + Self.usage + Self.done)
        #expect(report.usage == ChatUsage(input: 10, cacheRead: 30, output: 12))
        #expect(report.outcome == .answered && report.provider == "openai" && report.number == 1)
        #expect(report.timeToFirstByte != nil)
    }

    @Test func `where the provider is silent, what was said is counted and marked as a guess`() async throws {
        let words = String(repeating: Self.word, count: 20)
        let report = try await report(Self.streamHead + words + Self.end + Self.done)
        let usage = try #require(report.usage)
        #expect(usage.isEstimated)
        #expect((15...25).contains(usage.output))
        #expect(usage.input > 0)
    }

    @Test func `a stream that breaks off has used what it said`() async throws {
        let words = String(repeating: Self.word, count: 20)
        let report = try await report(Self.streamHead + words)
        #expect(report.outcome == .failed)
        #expect(try #require(report.usage).isEstimated)
        #expect((15...25).contains(try #require(report.usage).output))
    }

    @Test func `what was refused has used nothing`() async throws {
        let report = try await report("HTTP/1.1 400 No\r\nContent-Length: 2\r\n\r\n{}")
        #expect(report.outcome == .failed && report.usage == nil)
    }

    @Test func `a client that leaves in the middle has used what it got`() async throws {
        let reports = Locked<[AttemptReport]>([])
        let words = String(repeating: Self.word, count: 20)
        try await GatewayWorld.run(upstream: Self.script(Self.streamHead + words, thenWaits: true)) { world in
            world.onReport = { report in reports.withLock { $0.append(report) } }
            let key = world.key()
            let client = world.loop.spawn {
                _ = try? await world.complete("openai/x", key: key, #","stream":true"#)
            }
            try await world.loop.sleep(for: .milliseconds(300))
            client.cancel()
            await client.value
            let deadline = Instant.now() + .seconds(20)
            while reports.withLock({ $0.isEmpty }), Instant.now() < deadline {
                try await world.loop.sleep(for: .milliseconds(5))
            }
        }
        let report = try #require(reports.withLock { $0.first })
        #expect(report.outcome == .abandoned)
        #expect((15...25).contains(try #require(report.usage).output))
    }
}
