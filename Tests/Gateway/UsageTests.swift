import Base
import Chat
import Gateway
import Loop
import Metering
import Providers
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
    private func report(
        _ answer: String, from codec: any ChatCodec = OpenAIChatCodec(),
        on path: String = "/v1/chat/completions"
    ) async throws -> AttemptReport {
        let reports = Locked<[AttemptReport]>([])
        try await GatewayWorld.run(
            upstreams: ["p": Self.script(answer)], settings: { $0.chat = codec },
            { world in
                world.onReport = { report in reports.withLock { $0.append(report) } }
                let fields = [(name: "Authorization", value: "Bearer \(world.key())")]
                let body =
                    #"{"model":"p/x","max_tokens":500,"stream":true,"messages":[{"role":"user","content":"hi"}]}"#
                _ = try await world.send("POST", path, fields, body: body)
            })
        return try #require(reports.withLock { $0.first })
    }

    @Test func `a stream's usage is known though its client did not ask for it`() async throws {
        let report = try await report(Self.streamHead + Self.word + Self.end + Self.usage + Self.done)
        #expect(report.usage == ChatUsage(input: 10, cacheRead: 30, output: 12))
        #expect(report.outcome == .answered && report.provider == "p" && report.number == 1)
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

    /// Says at the beginning what it has read.
    private static func anthropicStream(_ count: Int, _ end: String = "") -> String {
        func event(_ type: String, _ members: String) -> String {
            "event: \(type)\ndata: {\"type\":\"\(type)\",\(members)}\n\n"
        }
        let head = event(
            "message_start",
            #""message":{"id":"m","model":"x","usage":{"input_tokens":40,"cache_read_input_tokens":30,"output_tokens":1}}"#
        )
        let begin = event("content_block_start", #""index":0,"content_block":{"type":"text","text":""}"#)
        let word = event(
            "content_block_delta", #""index":0,"delta":{"type":"text_delta","text":"honey "}"#)
        return streamHead + head + begin + String(repeating: word, count: count) + end
    }

    @Test(arguments: ["/v1/messages", "/v1/chat/completions"])
    func `what is said after the provider has told what it read counts too`(_ path: String) async throws {
        let report = try await report(Self.anthropicStream(20), from: AnthropicCodec(), on: path)
        #expect(report.outcome == .failed)
        let usage = try #require(report.usage)
        #expect(usage.input == 40 && usage.cacheRead == 30)
        #expect((16...26).contains(usage.output))
        #expect(usage.isEstimated)
    }

    @Test(arguments: ["/v1/messages", "/v1/chat/completions"])
    func `an error in the middle does not make what was said free`(_ path: String) async throws {
        let error =
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"no\"}}\n\n"
        let report = try await report(Self.anthropicStream(20, error), from: AnthropicCodec(), on: path)
        #expect(report.outcome == .failed)
        let usage = try #require(report.usage)
        #expect(usage.input == 40 && (16...26).contains(usage.output) && usage.isEstimated)
    }

    @Test(arguments: ["/v1/messages", "/v1/chat/completions"])
    func `what a provider has told with its last words is no guess`(_ path: String) async throws {
        let end =
            "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},"
            + "\"usage\":{\"output_tokens\":25}}\n\n"
        let whole = end + "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
        for (end, outcome) in [(whole, AttemptReport.Outcome.answered), (end, .failed)] {
            let report = try await report(Self.anthropicStream(20, end), from: AnthropicCodec(), on: path)
            #expect(report.outcome == outcome)
            #expect(report.usage == ChatUsage(input: 40, cacheRead: 30, output: 25))
        }
    }

    @Test func `a stream that tells with every piece what was made so far has used what it told last`()
        async throws
    {
        let pieces = [12, 24, 36].map { count in
            "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"honey bees hum \"}]}}],"
                + "\"usageMetadata\":{\"promptTokenCount\":40,\"candidatesTokenCount\":\(count)}}\r\n\r\n"
        }
        let report = try await report(Self.streamHead + pieces.joined(), from: GeminiCodec())
        #expect(report.outcome == .failed)
        #expect(report.usage == ChatUsage(input: 40, output: 36))
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
