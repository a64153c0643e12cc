import Base
import Catalog
import Chat
import JSON
import Metering
import Providers
import TestKit
import Testing

@testable import Gateway

/// Providers that speak the Responses API beside their chat dialect: who is asked in which, and what becomes of it.
struct ResponsesWayTests {
    // MARK: The choice

    private func candidate(_ settings: Upstream.Settings, onlyByResponses: Bool) -> Candidate {
        Candidate(
            id: "p/m", place: .upstream(Upstream(settings)), target: ChatTarget(model: "m"),
            facts: Candidate.Facts(isByResponsesOnly: onlyByResponses))
    }

    @Test(arguments: [
        (ChatDialect.openAIResponses, false, ChatDialect.openAIResponses),
        (.openAIResponses, true, .openAIResponses),
        (.openAIChat, false, .openAIChat), (.openAIChat, true, .openAIResponses),
        (.anthropic, false, .openAIChat), (.anthropic, true, .openAIResponses),
        (.hivegate, false, .openAIChat), (.hivegate, true, .openAIResponses),
    ])
    func `the Responses API is for its own clients and for models that nothing else serves`(
        front: ChatDialect, isOnly: Bool, expected: ChatDialect
    ) {
        var settings = Upstream.Settings(
            name: "p", chat: OpenAIChatCodec(), responses: OpenAIResponsesCodec(),
            baseURL: "http://127.0.0.1:1", keys: [Secret("k")])
        #expect(
            candidate(settings, onlyByResponses: isOnly).chatCodec(for: front)?.dialect == expected)
        settings.responses = nil
        #expect(
            candidate(settings, onlyByResponses: isOnly).chatCodec(for: front)?.dialect == .openAIChat)
        settings.chat = nil
        #expect(candidate(settings, onlyByResponses: isOnly).chatCodec(for: front) == nil)
    }

    @Test func `a model that is in no catalogue is asked in its provider's chat dialect`() {
        let settings = Upstream.Settings(
            name: "p", chat: OpenAIChatCodec(), responses: OpenAIResponsesCodec(),
            baseURL: "http://127.0.0.1:1", keys: [Secret("k")])
        let unlisted = Candidate(
            id: "p/m", place: .upstream(Upstream(settings)), target: ChatTarget(model: "m"))
        #expect(unlisted.chatCodec(for: .openAIChat)?.dialect == .openAIChat)
        #expect(unlisted.chatCodec(for: .openAIResponses)?.dialect == .openAIResponses)
    }

    // MARK: What comes of it

    private static let usage =
        #""usage":{"input_tokens":40,"input_tokens_details":{"cached_tokens":30},"output_tokens":12,"#
        + #""output_tokens_details":{"reasoning_tokens":2},"total_tokens":52}"#
    private static let whole =
        #"{"id":"resp_1","object":"response","status":"completed","model":"m","output":[{"id":"msg_1","#
        + #""type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","#
        + #""text":"honey","annotations":[]}]}],"vendor":{"b":1.0},\#(usage)}"#
    private static let counted = ChatUsage(input: 10, cacheRead: 30, output: 10, reasoning: 2)

    private static func event(_ type: String, _ more: String) -> String {
        "event: \(type)\ndata: {\"type\":\"\(type)\",\"sequence_number\":1\(more)}\n\n"
    }

    private static let words = String(
        repeating: event(
            "response.output_text.delta",
            #","item_id":"msg_1","output_index":0,"content_index":0,"delta":"honey ""#), count: 20)
    private static let begin = event(
        "response.created", #","response":{"id":"resp_1","status":"in_progress"}"#)
    private static let end = event("response.completed", #","response":\#(whole)"#)
    private static let streamHead =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"

    private static func answer(_ status: String, _ body: String, _ more: String = "") -> String {
        "HTTP/1.1 \(status)\r\nContent-Type: application/json\r\n\(more)Connection: close\r\n"
            + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    /// The requests that came to upstreams.
    private final class Log: Sendable {
        private let entries = Locked<[(name: String, path: String, body: String)]>([])
        var all: [(name: String, path: String, body: String)] { entries.withLock { $0 } }
        func note(_ name: String, _ path: String, _ body: String) {
            entries.withLock { $0.append((name, path, body)) }
        }
    }

    private static func upstream(
        _ name: String, _ log: Log, _ answer: String
    ) -> GatewayWorld.Script {
        { peer in
            guard let head = try await peer.head() else { return }
            let length = head.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }?
                .split(separator: " ").last
            let body = try await peer.read(length.flatMap { Int($0) } ?? 0) ?? []
            log.note(name, String(head.split(separator: " ")[1]), String(decoding: body, as: UTF8.self))
            try await peer.write(answer)
        }
    }

    private static func respond(
        _ world: GatewayWorld, _ model: String, _ more: String = "", key: String? = nil
    ) async throws -> GatewayWorld.Answer {
        try await world.send(
            "POST", "/v1/responses", [("Authorization", "Bearer \(key ?? world.key())")],
            body: #"{"model":"\#(model)","input":"hi"\#(more)}"#)
    }

    @Test func `what its clients ask and are answered passes byte for byte, and is counted`() async throws {
        let log = Log()
        let reports = Locked<[AttemptReport]>([])
        let script = Self.upstream("p", log, Self.answer("200 OK", Self.whole))
        try await GatewayWorld.run(
            upstreams: ["p": script], responsesToo: ["p"], limits: Self.sharing
        ) { world in
            world.onReport = { report in reports.withLock { $0.append(report) } }
            let more =
                #","previous_response_id":"resp_0","tools":[{"type":"web_search"}],"store":true,"n":[1.0]"#
            let answer = try await Self.respond(world, "p/m", more)
            #expect(answer.status == 200 && answer.text == Self.whole)
            #expect(answer["x-hivegate-omitted"] == nil)
            #expect(log.all.map(\.path) == ["/responses"])
            #expect(log.all.first?.body == #"{"model":"m","input":"hi"\#(more)}"#)
        }
        #expect(reports.withLock { $0.map(\.usage) } == [Self.counted])
    }

    @Test func `a stream is counted where it is whole, and guessed up to where it breaks off`() async throws {
        for isWhole in [true, false] {
            let reports = Locked<[AttemptReport]>([])
            let stream = Self.streamHead + Self.begin + Self.words + (isWhole ? Self.end : "")
            try await GatewayWorld.run(
                upstreams: ["p": Self.upstream("p", Log(), stream)], responsesToo: ["p"]
            ) { world in
                world.onReport = { report in reports.withLock { $0.append(report) } }
                let answer = try await Self.respond(world, "p/m", #","stream":true"#)
                #expect(answer.text.contains("response.completed") == isWhole)
                #expect(answer.text.contains("response.failed") == !isWhole)
            }
            let report = try #require(reports.withLock { $0.first })
            #expect(report.outcome == (isWhole ? .answered : .failed))
            let usage = try #require(report.usage)
            if isWhole {
                #expect(usage == Self.counted)
            } else {
                #expect(usage.isEstimated && (15...25).contains(usage.output))
            }
        }
    }

    @Test(arguments: [
        ("404 Not Found", 404, "bad"), ("400 Bad Request", 400, "bad"),
        ("429 Too Many", 429, "provider_rate_limited"), ("401 Unauthorized", 502, "provider_account"),
    ])
    func `what the provider refuses is told as it is in the chat dialect`(
        upstream: String, status: Int, code: String
    ) async throws {
        let body = #"{"error":{"message":"no","type":"x","param":null,"code":"bad"}}"#
        let script = Self.upstream("p", Log(), Self.answer(upstream, body, "Retry-After: 9\r\n"))
        let model = CatalogModel("p", "m", mode: .responses)
        try await GatewayWorld.run(
            upstreams: ["p": script], responsesToo: ["p"], catalog: SharedCatalog([model])
        ) { world in
            let key = world.key()
            let answer = try await Self.respond(world, "p/m", key: key)
            #expect(answer.status == status && answer.code == code)
            if status == 429 { #expect(answer["retry-after"] == "9") }
        }
        try await GatewayWorld.run(
            upstreams: ["p": script], responsesToo: ["p"], catalog: SharedCatalog([model])
        ) { world in
            let answer = try await world.complete("p/m", key: world.key())
            #expect(answer.status == status && answer.code == code)
        }
    }

    @Test func `a chat with a model that nothing else serves is translated there and back`() async throws {
        let log = Log()
        let script = Self.upstream("p", log, Self.answer("200 OK", Self.whole))
        let catalog = SharedCatalog([CatalogModel("p", "m", mode: .responses)])
        try await GatewayWorld.run(upstreams: ["p": script], responsesToo: ["p"], catalog: catalog) { world in
            let answer = try await world.complete("p/m", key: world.key())
            let message = try JSONDocument(parsing: answer.body)["choices"]?.element(0)?["message"]
            #expect(message?["content"]?.string == "honey")
            #expect(log.all.map(\.path) == ["/responses"])
            let asked = try JSONDocument(parsing: Array((log.all.first?.body ?? "").utf8))
            #expect(asked["store"]?.bool == false && asked["messages"] == nil)
        }
    }

    @Test func `each provider of a list is asked in its own way`() async throws {
        let log = Log()
        let completion = #"{"choices":[{"message":{"content":"chat"},"finish_reason":"stop"}]}"#
        let scripts = [
            "p": Self.upstream("p", log, Self.answer("500 Oops", "{}")),
            "q": Self.upstream("q", log, Self.answer("200 OK", completion)),
        ]
        try await GatewayWorld.run(upstreams: scripts, responsesToo: ["p"]) { world in
            let fallback = #","models":["q/m"],"tools":[{"type":"web_search"}]"#
            let answer = try await Self.respond(world, "p/m", fallback)
            #expect(answer.status == 200 && answer["x-hivegate-omitted"] == "tools.web_search")
            #expect(log.all.map(\.path) == ["/responses", "/chat/completions"])
            #expect(log.all.first?.body.contains("web_search") == true)
        }
    }

    /// An instance whose organizations may see all that its account has kept.
    private static let sharing: Gateway.Limits = {
        var limits = Gateway.Limits()
        limits.sharesProviderState = true
        return limits
    }()

    @Test func `what a provider keeps is referred to on an organization's own account alone`() async throws {
        for owner in [UUID.make(), nil] {
            let log = Log()
            let script = Self.upstream("p", log, Self.answer("200 OK", Self.whole))
            let belongs: @Sendable (inout Upstream.Settings) -> Void = { $0.owner = owner }
            try await GatewayWorld.run(
                upstreams: ["p": script], responsesToo: ["p"], settings: belongs
            ) { world in
                let key = world.key()
                for kept in [#","previous_response_id":"resp_0""#, #","conversation":{"id":"conv_0"}"#] {
                    let answer = try await Self.respond(world, "p/m", kept, key: key)
                    #expect(answer.status == (owner == nil ? 400 : 200))
                    if owner == nil { #expect(answer.code == "state_is_shared") }
                }
                let other = try await Self.respond(world, "p/m", #","previous_response_id":null"#, key: key)
                #expect(other.status == 200)
                #expect(log.all.count == (owner == nil ? 1 : 3))
            }
        }
    }

    @Test func `what only a provider that has kept something knows is asked of nobody else`() async throws {
        let log = Log()
        let scripts = [
            "p": Self.upstream("p", log, Self.answer("200 OK", Self.whole)),
            "q": Self.upstream("q", log, Self.answer("200 OK", "{}")),
        ]
        try await GatewayWorld.run(
            upstreams: scripts, responsesToo: ["p"], limits: Self.sharing
        ) { world in
            let key = world.key()
            let kept = #","previous_response_id":"resp_0""#
            let answer = try await Self.respond(world, "q/m", #","models":["p/m"]\#(kept)"#, key: key)
            #expect(answer.status == 200 && log.all.map(\.name) == ["p"])
            for (model, field, value) in [
                ("q/m", "previous_response_id", #""resp_0""#), ("q/m", "conversation", #"{"id":"conv_0"}"#),
                ("sandbox/echo", "previous_response_id", #""resp_0""#), ("p/m", "background", "true"),
            ] {
                let refused = try await Self.respond(world, model, #","\#(field)":\#(value)"#, key: key)
                #expect(refused.status == 400, "\(model) \(field)")
                let error = try JSONDocument(parsing: refused.body)["error"]
                #expect(error?["param"]?.string == field)
                #expect(error?["message"]?.string?.contains("send ") == true)
            }
            #expect(log.all.count == 1)
        }
    }
}
