import Base
import Cache
import Gateway
import HTTPClient
import JSON
import Loop
import Metering
import Providers
import TestKit
import Testing

/// The end of an answer comes after what has to be done before, however the answer ends.
@Suite(.timeLimit(.minutes(3)))
struct BeforeEndTests {
    /// What has to be done: it waits until it may go on.
    private final class Gate: Sendable {
        let begun = Locked<[String]>([])
        let ended = Locked<[String]>([])
        let isOpen: Locked<Bool>
        let cancelled = Locked(0)

        init(isOpen: Bool = false) { self.isOpen = Locked(isOpen) }

        var work: GatewayWorld.EndOfCall {
            { event in
                let id = event.requestID
                self.begun.withLock { $0.append(id) }
                while !self.isOpen.withLock({ $0 }) {
                    do { try await Task.sleep(for: .milliseconds(2)) } catch {
                        self.cancelled.withLock { $0 += 1 }
                        return
                    }
                }
                self.ended.withLock { $0.append(id) }
            }
        }

        func open() { isOpen.withLock { $0 = true } }
        var begunCount: Int { begun.withLock { $0.count } }
        var endedCount: Int { ended.withLock { $0.count } }

        func waitForBegin(_ count: Int = 1) async throws {
            while begunCount < count { try await Task.sleep(for: .milliseconds(2)) }
        }
    }

    // MARK: Providers

    private static func words(_ dialect: String) -> (start: String, end: String) {
        switch dialect {
        case "anthropic":
            (
                event("message_start", #""message":{"id":"m","model":"x","usage":{"input_tokens":4}}"#)
                    + event(
                        "content_block_start", #""index":0,"content_block":{"type":"text","text":""}"#)
                    + event(
                        "content_block_delta", #""index":0,"delta":{"type":"text_delta","text":"honey"}"#),
                event("content_block_stop", #""index":0"#)
                    + event(
                        "message_delta", #""delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}"#)
                    + event("message_stop", #""x":0"#)
            )
        case "responses":
            (
                event("response.created", #""response":{"id":"r","status":"in_progress","output":[]}"#)
                    + event(
                        "response.output_text.delta", #""item_id":"i","output_index":0,"delta":"honey""#),
                event(
                    "response.completed",
                    #""response":{"id":"r","status":"completed","output":[],"#
                        + #""usage":{"input_tokens":4,"output_tokens":2}}"#)
            )
        default:
            (
                #"data: {"choices":[{"index":0,"delta":{"content":"honey"}}]}"# + "\n\n",
                #"data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"# + "\n\ndata: [DONE]\n\n"
            )
        }
    }

    private static func event(_ type: String, _ members: String) -> String {
        "event: \(type)\ndata: {\"type\":\"\(type)\",\(members)}\n\n"
    }

    private static let whole =
        #"{"choices":[{"index":0,"message":{"role":"assistant","content":"honey"},"finish_reason":"stop"}],"#
        + #""usage":{"prompt_tokens":4,"completion_tokens":2}}"#

    private enum Fault { case none, breaksOff, refuses, waits }

    private static func script(_ dialect: String = "openai", _ fault: Fault = .none) -> GatewayWorld.Script {
        { peer in
            guard let head = try await peer.head() else { return }
            let length = head.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }?
                .split(separator: " ").last.flatMap { Int($0) }
            let body = String(decoding: try await peer.read(length ?? 0) ?? [], as: UTF8.self)
            if fault == .refuses {
                let error = #"{"error":{"message":"too hot","type":"invalid_request_error","code":"hot"}}"#
                return try await peer.write(
                    "HTTP/1.1 400 No\r\nContent-Type: application/json\r\nConnection: close\r\n"
                        + "Content-Length: \(error.utf8.count)\r\n\r\n\(error)")
            }
            guard body.contains(#""stream":true"#) else {
                return try await peer.write(
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
                        + "Content-Length: \(whole.utf8.count)\r\n\r\n\(whole)")
            }
            let (start, end) = words(dialect)
            try await peer.write(
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n" + start)
            if fault == .waits { return try await peer.waitForClose() }
            if fault == .none { try await peer.write(end) }
        }
    }

    private static func run(
        _ gate: Gate, _ dialect: String = "openai", _ fault: Fault = .none, cache: PrivateRedis? = nil,
        _ body: @escaping @Sendable (GatewayWorld) async throws -> Void
    ) async throws {
        var limits = Gateway.Limits()
        limits.repetitions = 0
        limits.cachePolicy.isEnabled = cache != nil
        try await GatewayWorld.run(
            upstreams: ["p": script(dialect, fault)], responsesToo: dialect == "responses" ? ["p"] : [],
            limits: limits, redis: cache, beforeEnd: gate.work,
            settings: { if dialect == "anthropic" { $0.chat = AnthropicCodec() } }, body)
    }

    // MARK: Clients

    private struct Case: CustomTestStringConvertible, Sendable {
        var provider: String
        var path: String
        var end: String
        var testDescription: String { "\(path) by \(provider)" }

        func body(isStreaming: Bool, _ model: String = "p/x") -> String {
            let more = #","max_tokens":50,"stream":\#(isStreaming)"#
            let messages = #""messages":[{"role":"user","content":"hi"}]"#
            return switch path {
            case "/v1/responses": #"{"model":"\#(model)","input":"hi","stream":\#(isStreaming)}"#
            case "/api/v1/generate": #"{"model":"\#(model)","prompt":"hi","stream":\#(isStreaming)}"#
            default: #"{"model":"\#(model)",\#(messages)\#(more)}"#
            }
        }
    }

    private static let cases = [
        Case(provider: "openai", path: "/v1/chat/completions", end: "data: [DONE]"),
        Case(provider: "openai", path: "/v1/messages", end: "event: message_stop"),
        Case(provider: "openai", path: "/v1/responses", end: "event: response.completed"),
        Case(provider: "openai", path: "/api/v1/generate", end: "event: end"),
        Case(provider: "anthropic", path: "/v1/messages", end: "event: message_stop"),
        Case(provider: "anthropic", path: "/v1/chat/completions", end: "data: [DONE]"),
        Case(provider: "responses", path: "/v1/responses", end: "event: response.completed"),
    ]

    /// An answer while it comes.
    private final class Reading: Sendable {
        let text = Locked("")
        let status = Locked(0)
        let isWhole = Locked(false)
        var seen: String { text.withLock { $0 } }
    }

    private static func ask(
        _ world: GatewayWorld, _ path: String, _ body: String, key: String? = nil
    ) -> (Reading, Task<Void, Never>) {
        let reading = Reading()
        let key = key ?? world.key()
        let task = world.loop.spawn {
            let request = HTTPClientRequest(
                "POST", url: "http://127.0.0.1:\(world.port)\(path)",
                fields: [("Authorization", "Bearer \(key)")], body: .bytes(Array(body.utf8)))
            _ = try? await world.client.withResponse(request) { response in
                reading.status.withLock { $0 = response.status }
                while let piece = try await response.next() {
                    reading.text.withLock { $0 += String(decoding: piece, as: UTF8.self) }
                }
                reading.isWhole.withLock { $0 = true }
            }
        }
        return (reading, task)
    }

    private static func wait(_ isSo: () -> Bool) async throws {
        while !isSo() { try await Task.sleep(for: .milliseconds(2)) }
    }

    // MARK: Tests

    @Test(arguments: cases)
    private func `a stream's client has all but the end until what has to be done is done`(_ each: Case)
        async throws
    {
        let gate = Gate()
        try await Self.run(gate, each.provider) { world in
            let (reading, task) = Self.ask(world, each.path, each.body(isStreaming: true))
            try await gate.waitForBegin()
            try await Self.wait { reading.seen.contains("honey") }
            // Time enough for an end that does not wait.
            try await world.loop.sleep(for: .milliseconds(50))
            #expect(!reading.seen.contains(each.end) && !reading.isWhole.withLock { $0 })
            gate.open()
            await task.value
            #expect(reading.isWhole.withLock { $0 })
            #expect(reading.seen.components(of: each.end) == 1, "\(reading.seen)")
            #expect(gate.endedCount == 1 && gate.begunCount == 1)
        }
    }

    @Test(arguments: cases.prefix(4))
    private func `a whole answer waits, and comes as it is without`(_ each: Case) async throws {
        let gate = Gate()
        try await Self.run(gate) { world in
            let (reading, task) = Self.ask(world, each.path, each.body(isStreaming: false))
            try await gate.waitForBegin()
            try await world.loop.sleep(for: .milliseconds(50))
            #expect(reading.status.withLock { $0 } == 0)
            gate.open()
            await task.value
            #expect(reading.status.withLock { $0 } == 200 && reading.seen.contains("honey"))
            #expect(gate.endedCount == 1)
        }
    }

    @Test(arguments: cases.prefix(4))
    private func `an error in the middle is an end, too`(_ each: Case) async throws {
        let gate = Gate()
        try await Self.run(gate, "openai", .breaksOff) { world in
            let (reading, task) = Self.ask(world, each.path, each.body(isStreaming: true))
            try await gate.waitForBegin()
            try await Self.wait { reading.seen.contains("honey") }
            try await world.loop.sleep(for: .milliseconds(50))
            #expect(!reading.seen.contains("broke off"))
            gate.open()
            await task.value
            #expect(reading.seen.contains("broke off") && !reading.seen.contains(each.end), "\(reading.seen)")
            #expect(gate.endedCount == 1 && gate.begunCount == 1)
        }
    }

    @Test(arguments: cases.prefix(4))
    private func `what a provider refuses is told after what has to be done`(_ each: Case) async throws {
        let gate = Gate()
        try await Self.run(gate, "openai", .refuses) { world in
            let (reading, task) = Self.ask(world, each.path, each.body(isStreaming: true))
            try await gate.waitForBegin()
            try await world.loop.sleep(for: .milliseconds(50))
            #expect(reading.status.withLock { $0 } == 0)
            gate.open()
            await task.value
            #expect(reading.status.withLock { $0 } == 400 && reading.seen.contains("too hot"))
            #expect(gate.endedCount == 1 && gate.begunCount == 1)
        }
    }

    @Test func `it is done, and to its end, though the client has left`() async throws {
        let gate = Gate()
        try await Self.run(gate, "openai", .waits) { world in
            let (reading, task) = Self.ask(
                world, "/v1/chat/completions", Self.cases[0].body(isStreaming: true))
            try await Self.wait { reading.seen.contains("honey") }
            task.cancel()
            await task.value
            try await gate.waitForBegin()
            try await world.loop.sleep(for: .milliseconds(30))
            gate.open()
            try await Self.wait { gate.endedCount == 1 }
            #expect(gate.begunCount == 1 && gate.cancelled.withLock { $0 } == 0)
        }
    }

    @Test func `a client that leaves while it is being done does not stop it`() async throws {
        let gate = Gate()
        try await Self.run(gate) { world in
            let (_, task) = Self.ask(world, "/v1/chat/completions", Self.cases[0].body(isStreaming: false))
            try await gate.waitForBegin()
            task.cancel()
            await task.value
            try await world.loop.sleep(for: .milliseconds(30))
            gate.open()
            try await Self.wait { gate.endedCount == 1 }
            #expect(gate.begunCount == 1 && gate.cancelled.withLock { $0 } == 0)
        }
    }

    @Test(arguments: [false, true])
    func `who asks the same gets the end after the first one's is due, and each has its own to do`(
        isStreaming: Bool
    ) async throws {
        let gate = Gate()
        try await onLoop { loop in
            try await PrivateRedis.with(on: loop) { redis in
                try await Self.run(gate, cache: redis) { world in
                    let each = Self.cases[0]
                    let key = world.key()
                    let first = Self.ask(world, each.path, each.body(isStreaming: isStreaming), key: key)
                    try await gate.waitForBegin()
                    let others = (0..<3).map { _ in
                        Self.ask(world, each.path, each.body(isStreaming: isStreaming), key: key)
                    }
                    try await world.loop.sleep(for: .milliseconds(60))
                    let readings = [first.0] + others.map(\.0)
                    #expect(
                        readings.allSatisfy { !$0.isWhole.withLock { $0 } && !$0.seen.contains(each.end) })
                    // The others do not know yet that it is the end.
                    #expect(gate.begunCount == 1)
                    gate.open()
                    for (_, task) in [first] + others { await task.value }
                    #expect(readings.allSatisfy { $0.isWhole.withLock { $0 } && $0.seen == first.0.seen })
                    #expect(first.0.seen.contains(isStreaming ? each.end : "honey"))
                    let ended = gate.ended.withLock { $0 }
                    #expect(ended.count == 4 && Set(ended).count == 4)
                    // Now it is kept.
                    let again = try await world.send(
                        "POST", each.path, [("Authorization", "Bearer \(key)")],
                        body: each.body(isStreaming: isStreaming))
                    #expect(again.status == 200 && again.text.contains("honey"))
                    // On the short way it is only counted.
                    #expect((4...5).contains(gate.endedCount))
                }
            }
        }
    }

    @Test func `on a socket the end of a request waits, and nothing else`() async throws {
        let gate = Gate()
        try await Self.run(gate) { world in
            let client = try await SocketClient.open(world, "Authorization: Bearer \(world.key())\r\n")
            try await client.send(#"{"id":"a","model":"p/x","prompt":"hi"}"#)
            while try await client.message()["text"]?.string != "honey" {}
            try await gate.waitForBegin()
            #expect(gate.endedCount == 0)
            gate.open()
            let rest = try await client.messages(toEndOf: "a")
            #expect(rest.last?["finish_reason"]?.string == "stop" && gate.endedCount == 1)
            client.close()
        }
    }

    @Test func `vectors and the sandbox's answers wait, too`() async throws {
        let gate = Gate()
        let requests = [
            ("/v1/embeddings", #"{"model":"sandbox/embed","input":"hi"}"#),
            ("/v1/images/generations", #"{"model":"sandbox/image","prompt":"a bee"}"#),
            ("/v1/chat/completions", Self.cases[0].body(isStreaming: false, "sandbox/echo")),
        ]
        try await Self.run(gate) { world in
            let asked = requests.map { Self.ask(world, $0.0, $0.1) }
            try await gate.waitForBegin(requests.count)
            try await world.loop.sleep(for: .milliseconds(30))
            #expect(asked.allSatisfy { $0.0.status.withLock { $0 } == 0 })
            gate.open()
            for (reading, task) in asked {
                await task.value
                #expect(reading.status.withLock { $0 } == 200)
            }
            #expect(gate.endedCount == requests.count)
        }
    }
}

extension String {
    /// How often `part` is in it.
    fileprivate func components(of part: String) -> Int {
        var (count, rest) = (0, self[...])
        while let range = rest.firstRange(of: part) {
            count += 1
            rest = rest[range.upperBound...]
        }
        return count
    }
}
