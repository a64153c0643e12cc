import Base
import Foundation
import JSON
import Providers
import TestKit
import Testing

/// Conversations in our own dialect with models that think and call tools: what a provider seals comes back to it.
struct GenerateThoughtsTests {
    /// A provider's answer, and what it must be told of that in the next request.
    struct Turn: Sendable, CustomTestStringConvertible {
        let name: String
        let codec: any ChatCodec
        let answer: String
        /// The events of the same answer.
        let stream: String
        /// Where in the next request its own turn is.
        let list: String
        let place: String
        let returned: String

        var testDescription: String { name }
    }

    private static let signature = "c2lnbmVk+/=="

    private static let anthropicBlocks =
        #"[{"type":"thinking","thinking":"Hm, \"two\".","signature":"\#(signature)"},"#
        + #"{"type":"redacted_thinking","data":"cmVkYWN0ZWQ="},{"type":"text","text":"I look."},"#
        + #"{"type":"tool_use","id":"toolu_1","name":"look","input":{"at":"sea"}},"#
        + #"{"type":"thinking","thinking":"And again.","signature":"bW9yZQ=="},"#
        + #"{"type":"tool_use","id":"toolu_2","name":"look","input":{"at":"sky"}}]"#

    private static func anthropicEvents() throws -> String {
        var events = [
            #"{"type":"message_start","message":{"id":"m","model":"x","usage":{"input_tokens":9,"output_tokens":1}}}"#
        ]
        let blocks = try JSONDocument(parsing: Array(anthropicBlocks.utf8)).root
        for (index, block) in blocks.elements.enumerated() {
            func delta(_ value: String) -> String {
                #"{"type":"content_block_delta","index":\#(index),"delta":\#(value)}"#
            }
            let text = String(decoding: block.bytes, as: UTF8.self)
            var start = text
            var deltas: [String] = []
            switch block["type"]?.string {
            case "thinking":
                start = #"{"type":"thinking","thinking":"","signature":""}"#
                for field in ["thinking", "signature"] {
                    let value = String(decoding: block.member(field)?.bytes ?? [], as: UTF8.self)
                    deltas.append(delta(#"{"type":"\#(field)_delta","\#(field)":\#(value)}"#))
                }
            case "text":
                start = #"{"type":"text","text":""}"#
                deltas = ["I ", "look."].map { delta(#"{"type":"text_delta","text":"\#($0)"}"#) }
            default: break
            }
            events.append(#"{"type":"content_block_start","index":\#(index),"content_block":\#(start)}"#)
            events += deltas + [#"{"type":"content_block_stop","index":\#(index)}"#]
        }
        events.append(
            #"{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":40}}"#)
        events.append(#"{"type":"message_stop"}"#)
        return events.map { "data: \($0)\n\n" }.joined()
    }

    private static func gemini(_ name: String, _ parts: String..., returned: String? = nil) -> Turn {
        func answer(_ parts: String, _ more: String) -> String {
            #"{"candidates":[{"content":{"role":"model","parts":[\#(parts)]}\#(more)}],"responseId":"r","#
                + #""usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":40}}"#
        }
        let end = #","finishReason":"STOP""#
        return Turn(
            name: name, codec: GeminiCodec(), answer: answer(parts.joined(separator: ","), end),
            stream: parts.enumerated().map {
                "data: \(answer($0.element, $0.offset == parts.count - 1 ? end : ""))\r\n\r\n"
            }.joined(), list: "contents", place: "parts",
            returned: "[\(returned ?? parts.joined(separator: ","))]")
    }

    private static func call(_ number: Int, _ more: String = "") -> String {
        #"{"functionCall":{"id":"call_\#(number)","name":"look","args":{"at":"sea"}}\#(more)}"#
    }

    private static let signed = #","thoughtSignature":"\#(signature)""#

    static let turns: [Turn] = {
        let events = (try? anthropicEvents()) ?? ""
        return [
            Turn(
                name: "Anthropic's thoughts before and between calls", codec: AnthropicCodec(),
                answer:
                    #"{"id":"m","model":"x","content":\#(anthropicBlocks),"stop_reason":"tool_use","usage":{"input_tokens":9,"output_tokens":40}}"#,
                stream: events, list: "messages", place: "content", returned: anthropicBlocks),
            gemini("Gemini's signature of the first call", call(1, signed), call(2)),
            gemini("Gemini's signature of a later call", #"{"text":"I look."}"#, call(1), call(2, signed)),
            gemini(
                "a thought of Gemini's whose signature is the call's",
                #"{"text":"Hm.","thought":true}"#, call(1, signed)),
            gemini("Gemini's signature of a text", #"{"text":"It is there."\#(signed)}"#),
            gemini(
                "Gemini's signature of a part that says nothing, before a call",
                #"{"text":""\#(signed)}"#, call(1, #","thoughtSignature":"b3RoZXI=""#)),
            gemini(
                "Gemini's signature of a part that says nothing, behind a call", call(1),
                #"{"text":""\#(signed)}"#,
                // Calls are apart from what is said in our messages, and come last.
                returned: #"{"text":""\#(signed)},\#(call(1))"#),
        ]
    }()

    /// The body of the second request, when the answer to the first was given back as it was.
    private func second(_ turn: Turn, isStream: Bool) async throws -> (message: JSONValue, sent: JSONValue) {
        let seen = Locked<[[UInt8]]>([])
        let said = Locked<[UInt8]>([])
        let (type, body) =
            isStream ? ("text/event-stream", turn.stream) : ("application/json", turn.answer)
        let script: GatewayWorld.Script = { peer in
            guard let head = try await peer.head() else { return }
            let length = head.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }?
                .split(separator: " ").last
            let request = try await peer.read(length.flatMap { Int($0) } ?? 0) ?? []
            seen.withLock { $0.append(request) }
            try await peer.write(
                "HTTP/1.1 200 OK\r\nContent-Type: \(type)\r\nConnection: close\r\n"
                    + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
        }
        try await GatewayWorld.run(
            upstreams: ["p": script], settings: { $0.chat = turn.codec },
            { world in
                let fields = [("x-api-key", world.key())]
                let question = #"{"role":"user","content":"What is there?"}"#
                func ask(_ messages: String) async throws -> GatewayWorld.Answer {
                    try await world.send(
                        "POST", "/api/v1/generate", fields,
                        body:
                            #"{"model":"p/gemini-3-x","stream":\#(isStream),"messages":[\#(messages)],"tools":[{"type":"function","function":{"name":"look"}}]}"#
                    )
                }
                let answer = try await ask(question)
                #expect(answer.status == 200, "\(answer.text)")
                let whole =
                    isStream
                    ? answer.text.components(separatedBy: "\n").last { $0.hasPrefix(#"data: {"type":"end""#) }
                        .map { Array($0.utf8.dropFirst(6)) } : answer.body
                let ending = try #require(whole)
                let message = try #require(try JSONDocument(parsing: ending)["message"])
                said.withLock { $0 = Array(message.bytes) }
                let results = message["tool_calls"]?.elements.compactMap { $0["id"]?.string } ?? []
                let told = results.map { #"{"role":"tool","tool_call_id":"\#($0)","content":"a bee"}"# }
                let next = told.isEmpty ? [question] : told
                let text = String(decoding: message.bytes, as: UTF8.self)
                let again = try await ask(([question, text] + next).joined(separator: ","))
                #expect(again.status == 200, "\(again.text)")
            })
        let requests = seen.withLock { $0 }
        #expect(requests.count == 2)
        let last = try #require(requests.last)
        return (
            try JSONDocument(parsing: said.withLock { $0 }).root, try JSONDocument(parsing: last).root
        )
    }

    @Test(arguments: turns, [false, true])
    func `what a provider has sealed comes back to it as it was`(_ turn: Turn, isStream: Bool) async throws {
        let (_, sent) = try await second(turn, isStream: isStream)
        let returned = try #require(sent.member(turn.list)?.element(1)?.member(turn.place))
        #expect(returned == (try JSONDocument(parsing: Array(turn.returned.utf8)).root))
    }

    @Test(arguments: turns)
    func `a stream ends with the message that the whole answer has`(_ turn: Turn) async throws {
        #expect(try await second(turn, isStream: true).message == second(turn, isStream: false).message)
    }

    @Test func `a seal that is none, or not the assistant's, is refused by its place`() async throws {
        try await GatewayWorld.run { world in
            for (role, seal) in [("assistant", "c2ln"), ("user", "hivegate.seal.1.gemini.v.0:x")] {
                let answer = try await world.send(
                    "POST", "/api/v1/generate", [("x-api-key", world.key())],
                    body:
                        #"{"model":"sandbox/echo","messages":[{"role":"user","content":"a"},{"role":"\#(role)","content":[{"type":"reasoning","text":"x","seal":"\#(seal)"}]},{"role":"user","content":"b"}]}"#
                )
                #expect(answer.status == 422)
                let error = try JSONDocument(parsing: answer.body)["error"]?["errors"]?.element(0)
                #expect(error?["field"]?.string == "messages[1].content")
            }
        }
    }
}
