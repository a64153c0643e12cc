import Base
import JSON
import Loop
import TestKit
import Testing

/// What a client notices of upstreams that fail: as little as can be.
struct FailoverTests {
    private static func answer(_ status: String, _ body: String, _ more: String = "") -> String {
        "HTTP/1.1 \(status)\r\nContent-Type: application/json\r\n\(more)Connection: close\r\n"
            + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    private static func completion(by name: String) -> String {
        answer(
            "200 OK",
            #"{"choices":[{"index":0,"message":{"role":"assistant","content":"\#(name)"},"finish_reason":"stop"}]}"#
        )
    }

    /// Counts who was asked, and with which key.
    private final class Log: Sendable {
        private let entries = Locked<[String]>([])
        var all: [String] { entries.withLock { $0 } }
        func note(_ entry: String) { entries.withLock { $0.append(entry) } }
    }

    /// An upstream that answers each request as `reply` says; the number counts from 0.
    private static func upstream(
        _ name: String, _ log: Log, _ reply: @escaping @Sendable (Int) -> String
    ) -> GatewayWorld.Script {
        let count = Locked(0)
        return { peer in
            guard let head = try await peer.head() else { return }
            let length = head.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }?
                .split(separator: " ").last
            _ = try await peer.read(length.flatMap { Int($0) } ?? 0)
            let key = head.split(separator: "\r\n").first { $0.hasPrefix("Authorization: ") }?
                .split(separator: " ").last
            log.note("\(name) \(key ?? "")")
            let turn = count.withLock { count in
                defer { count += 1 }
                return count
            }
            // A mark stands for a moment in which what was sent gets through.
            for (index, part) in reply(turn).split(separator: mark, omittingEmptySubsequences: false)
                .enumerated()
            {
                if index > 0 { try await Task.sleep(for: .milliseconds(100)) }
                try await peer.write(String(part))
            }
        }
    }

    private static let mark: Character = "¶"
    private static let down = answer("500 Oops", "{}")
    private static let fallback = #","models":["b/y"]"#

    @Test func `when the first upstream fails, the next one answers, and the client sees who did`()
        async throws
    {
        let log = Log()
        let scripts = [
            "a": Self.upstream("a", log) { _ in Self.down },
            "b": Self.upstream("b", log) { _ in Self.completion(by: "b") },
        ]
        try await GatewayWorld.run(upstreams: scripts) { world in
            let key = world.key()
            for turn in 0..<20 {
                let answer = try await world.complete("a/x", key: key, Self.fallback)
                #expect(answer.status == 200 && answer.text.contains(#""content":"b""#))
                #expect(answer["x-hivegate-provider"] == "b" && answer["x-hivegate-model"] == "y")
                #expect(answer["x-hivegate-attempts"] == (turn < 5 ? "2" : "1"))
            }
            // After five failures it is left alone.
            #expect(log.all.count { $0.hasPrefix("a") } == 5)
        }
    }

    @Test func `a stream that has not begun moves on, one that has begun says that it broke off`()
        async throws
    {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
        let piece = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n"
        let failure = "data: {\"error\":{\"message\":\"busy\",\"code\":502}}\n\n"
        for (stream, isMoved) in [
            (head, true), (head + failure, true), (head + "data: {\n\n", true),
            (head + piece + failure, true), (head + piece + "¶", false),
            (head + piece + "¶" + failure, false),
            (head + piece + "¶data: \u{1}\n\n", false),
        ] {
            let log = Log()
            let whole =
                head + piece.replacing("\"a\"", with: "\"b\"")
                + "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"
            let scripts = [
                "a": Self.upstream("a", log) { _ in stream }, "b": Self.upstream("b", log) { _ in whole },
            ]
            try await GatewayWorld.run(upstreams: scripts) { world in
                let answer = try await world.complete(
                    "a/x", key: world.key(), Self.fallback + #","stream":true"#)
                #expect(answer.status == 200)
                #expect(answer.text.contains(#""content":"b""#) == isMoved)
                #expect(answer.text.contains(#""content":"a""#) == !isMoved)
                #expect(answer.text.contains("[DONE]") == isMoved)
                #expect(answer.text.contains(#"{"error":{"#) == !isMoved)
                #expect(log.all.map { $0.prefix(1) } == (isMoved ? ["a", "b"] : ["a"]))
            }
        }
    }

    @Test func `one bad moment of the only upstream is not seen, and its request is answered once`()
        async throws
    {
        let log = Log()
        let script = Self.upstream("a", log) {
            $0 == 0 ? Self.answer("503 Busy", "{}") : Self.completion(by: "a")
        }
        try await GatewayWorld.run(upstreams: ["a": script]) { world in
            let answer = try await world.complete("a/x", key: world.key())
            #expect(answer.status == 200 && answer["x-hivegate-attempts"] == "2")
            #expect(log.all.count == 2)
        }
    }

    @Test func `an upstream that is down is asked at most a fifth more often than clients ask`() async throws
    {
        let log = Log()
        let requests = 100
        try await GatewayWorld.run(upstreams: ["a": Self.upstream("a", log) { _ in Self.down }]) { world in
            let key = world.key()
            for _ in 0..<requests {
                let answer = try await world.complete("a/x", key: key)
                #expect(answer.status == 502 || answer.status == 503)
            }
            #expect(log.all.count >= 5)
            #expect(log.all.count <= requests * 12 / 10)
        }
    }

    @Test func `a client's own fault is told at once, in the upstream's words`() async throws {
        let log = Log()
        let refusal =
            #"{"error":{"message":"temperature is too high","type":"invalid_request_error","code":"bad"}}"#
        let scripts = [
            "a": Self.upstream("a", log) { _ in Self.answer("400 Bad Request", refusal) },
            "b": Self.upstream("b", log) { _ in Self.completion(by: "b") },
        ]
        try await GatewayWorld.run(upstreams: scripts) { world in
            let answer = try await world.complete("a/x", key: world.key(), Self.fallback)
            #expect(answer.status == 400 && answer.text == refusal)
            #expect(log.all == ["a sk-upstream"])
        }
    }

    @Test func `a key that was refused is not shown again, and another one is`() async throws {
        let log = Log()
        let script = Self.upstream("a", log) {
            $0 == 0 ? Self.answer("401 No", "{}") : Self.completion(by: "a")
        }
        try await GatewayWorld.run(upstreams: ["a": script], keys: ["one", "two"]) { world in
            let key = world.key()
            for _ in 0..<3 {
                let answer = try await world.complete("a/x", key: key)
                #expect(answer.status == 200)
            }
            #expect(log.all == ["a one", "a two", "a two", "a two"])
        }
    }

    @Test func `an upstream that says how long to wait is waited for by the client, not by us`() async throws
    {
        let log = Log()
        let script = Self.upstream("a", log) { _ in
            Self.answer("429 Slow", "{}", "Retry-After-Ms: 250\r\nX-Should-Retry: false\r\n")
        }
        try await GatewayWorld.run(upstreams: ["a": script]) { world in
            let answer = try await world.complete("a/x", key: world.key())
            #expect(answer.status == 429 && answer["retry-after-ms"] == "250" && answer["retry-after"] == "1")
            #expect(answer["x-should-retry"] == "false")
            #expect(log.all.count == 1)
            let early = try await world.complete("a/x", key: world.key())
            #expect(early.status == 429 && log.all.count == 1)
        }
    }

    @Test func `a request says who may answer it`() async throws {
        let log = Log()
        let scripts = [
            "a": Self.upstream("a", log) { _ in Self.completion(by: "a") },
            "b": Self.upstream("b", log) { _ in Self.completion(by: "b") },
        ]
        try await GatewayWorld.run(upstreams: scripts) { world in
            let key = world.key()
            for (policy, expected) in [
                (#"{"ignore":["a"]}"#, "b"), (#"{"only":["b"]}"#, "b"), (#"{"order":["b","a"]}"#, "a"),
                (#"{"allow_fallbacks":false}"#, "a"),
            ] {
                let answer = try await world.complete(
                    "a/x", key: key, Self.fallback + #","provider":\#(policy)"#)
                #expect(answer["x-hivegate-provider"] == expected, "\(policy)")
            }
            let nobody = try await world.complete("a/x", key: key, #","provider":{"only":["c"]}"#)
            #expect(nobody.status == 404 && nobody.code == "no_provider_allowed")
            let wrong = try await world.complete(
                "a/x", key: key, #","models":[7],"provider":{"sort":"x","onyl":[]}"#)
            #expect(wrong.status == 400)
            for field in ["models[0]", "provider.sort", "provider.onyl"] {
                #expect(wrong.text.contains(field))
            }
            let unknown = try await world.complete("a/x", key: key, #","models":["c/x"]"#)
            #expect(unknown.status == 404 && unknown.code == "model_not_found")
        }
    }
}
