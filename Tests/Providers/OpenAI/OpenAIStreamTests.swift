import Base
import Chat
import JSON
import Testing

@testable import Providers

struct OpenAIStreamTests {
    private static let stream = """
        data: {"choices":[{"delta":{"content":"a"}}]}\n\ndata: {"choices":[{"delta":{"content":"é"},\
        "finish_reason":"stop"}]}\r\n\r\n: note\n\nid: 7\n\ndata: {"choices":[],"usage":{"prompt_tokens":3,\
        "completion_tokens":2}}\n\ndata: [DONE]\n\n
        """
    private static let events = [
        #"data: {"choices":[{"delta":{"content":"a"}}]}"#,
        #"data: {"choices":[{"delta":{"content":"é"},"finish_reason":"stop"}]}"#,
        #"data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}"#,
        "data: [DONE]",
    ]

    private func relay(showsUsage: Bool = true) -> StreamRelay {
        StreamRelay(OpenAIChatWatcher(showsUsage: showsUsage))
    }

    private func text(_ events: some Sequence<String>) -> String { events.map { $0 + "\n\n" }.joined() }

    @Test func `however the upstream's bytes are cut, whole events leave and nothing is lost`() throws {
        let bytes = Array(Self.stream.utf8)
        for first in 0...bytes.count {
            for second in stride(from: first, through: bytes.count, by: 5) {
                var relay = relay()
                var passed: [UInt8] = []
                for piece in [bytes[..<first], bytes[first..<second], bytes[second...]] {
                    let start = passed.count
                    try relay.take(Array(piece), into: &passed)
                    #expect(passed.count == start || passed.last == 0x0A)
                }
                try relay.end(into: &passed)
                #expect(String(decoding: passed, as: UTF8.self) == text(Self.events))
                #expect(relay.usage == ChatUsage(input: 3, output: 2))
            }
        }
    }

    @Test func `a client that did not ask for the usage does not see it, and we do`() throws {
        var relay = relay(showsUsage: false)
        var passed: [UInt8] = []
        try relay.take(Array(Self.stream.utf8), into: &passed)
        try relay.end(into: &passed)
        #expect(String(decoding: passed, as: UTF8.self) == text(Self.events[..<2] + Self.events[3...]))
        #expect(relay.usage == ChatUsage(input: 3, output: 2))
    }

    @Test func `the event that ends a stream is told apart, as soon as it has come and once`() throws {
        var relay = relay()
        var passed: [UInt8] = []
        #expect(relay.takeEnding() == nil)
        try relay.take(Array(Self.stream.utf8), into: &passed)
        #expect(String(decoding: passed, as: UTF8.self) == text(Self.events[..<3]))
        #expect(relay.takeEnding().map { String(decoding: $0, as: UTF8.self) } == text(Self.events[3...]))
        #expect(relay.takeEnding() == nil)
        // Nobody reads on behind it.
        try relay.take(Array(text(Self.events[...0]).utf8), into: &passed)
        try relay.end(into: &passed)
        #expect(String(decoding: passed, as: UTF8.self) == text(Self.events[..<3]))
    }

    @Test func `a stream without its end is none, and one that forgot the end mark gets it`() throws {
        for (text, isWhole) in [
            (#"data: {"choices":[{"delta":{}}]}"# + "\n\ndata: [DO", false),
            (#"data: {"choices":[{"delta":{},"finish_reason":"stop"}]}"# + "\n\n", true),
            (#"data: {"choices":[{"delta":{},"finish_reason":"stop"}]}"# + "\n", false),
        ] {
            var relay = relay()
            var passed: [UInt8] = []
            try relay.take(Array(text.utf8), into: &passed)
            if isWhole {
                try relay.end(into: &passed)
                #expect(String(decoding: passed, as: UTF8.self).hasSuffix("data: [DONE]\n\n"))
            } else {
                #expect(throws: UpstreamFault.self) { try relay.end(into: &passed) }
            }
        }
    }

    @Test func `an event without end is refused`() throws {
        var relay = relay()
        var passed: [UInt8] = []
        #expect(throws: UpstreamFault.self) {
            for _ in 0..<10 {
                try relay.take([UInt8](repeating: 0x61, count: 1024 * 1024), into: &passed)
            }
        }
    }

    @Test(arguments: [
        "data: {\n\n", "data: \u{1}\n\n", "data: 7\n\n", "data: {\"error\":{\"message\":\"x\"}}\n\n",
    ])
    func `an event that is none, or that reports an error, ends the stream`(event: String) throws {
        var relay = relay()
        var passed: [UInt8] = []
        #expect(throws: UpstreamFault.self) { try relay.take(Array(event.utf8), into: &passed) }
        #expect(passed.isEmpty)
    }

    @Test func `a problem has OpenAI's shape and names the request`() throws {
        let problem = Problem(.notFound, code: "model_not_found", "No such model.", field: "model")
        let body = try JSONDocument(parsing: OpenAIProblem.body(problem, requestID: "req_1"))
        #expect(body["error"]?["type"]?.string == "invalid_request_error")
        #expect(body["error"]?["param"]?.string == "model")
        #expect(body["error"]?["code"]?.string == "model_not_found")
        #expect(body["error"]?["request_id"]?.string == "req_1")
    }
}
