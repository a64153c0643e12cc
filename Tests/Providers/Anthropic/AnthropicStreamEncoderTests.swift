import Base
import Chat
import JSON
import Testing

@testable import Providers

/// The streams that clients of Anthropic's dialect get.
struct AnthropicStreamEncoderTests {
    private let context = ReplyContext(
        ChatRequest(model: "house/model", messages: []), requestID: "req_42", created: Timestamp(seconds: 0))

    private func stream(_ events: [ChatEvent], end: Bool = true) -> [UInt8] {
        var encoder = AnthropicFront().streamEncoder(context)
        var output: [UInt8] = []
        for event in events { encoder.encode(event, into: &output) }
        if end { encoder.end(into: &output) }
        return output
    }

    /// Its events, each by its type and the rest that matters.
    private func outline(_ stream: [UInt8]) throws -> [String] {
        try ToldByAnthropic.events(stream).map { event in
            let type = event["type"]?.string ?? ""
            switch type {
            case "content_block_start":
                return "start \(event["index"]?.int ?? -1) \(event["content_block"]?["type"]?.string ?? "")"
            case "content_block_delta":
                let delta = event["delta"]
                let piece =
                    delta?["text"]?.string ?? delta?["partial_json"]?.string ?? delta?["thinking"]?.string
                    ?? delta?["signature"]?.string ?? delta?["citation"]?["url"]?.string ?? ""
                return "\(event["index"]?.int ?? -1) \(piece)"
            case "content_block_stop": return "stop \(event["index"]?.int ?? -1)"
            default: return type
            }
        }
    }

    private func began(_ index: Int) -> ChatEvent {
        .toolCallBegan(index: index, id: "id\(index)", name: "f")
    }

    @Test func `every event is named as its data says`() throws {
        let bytes = stream([.began(id: nil, model: nil), .text("a"), .finished(ChatFinish(.stop))])
        let lines = String(decoding: bytes, as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false)
        let names = lines.filter { $0.hasPrefix("event: ") }.map { String($0.dropFirst(7)) }
        #expect(try names == ToldByAnthropic.events(bytes).map { $0["type"]?.string })
        #expect(names.first == "message_start" && names.last == "message_stop" && names.count == 6)
    }

    @Test func `calls that come in turns are written one after the other`() throws {
        let bytes = stream([
            .text("so"), began(0), began(1), .toolCallArguments(index: 1, #"{"b""#),
            .toolCallArguments(index: 0, #"{"a":"}\""#), .toolCallArguments(index: 1, ":2}"), .text("then"),
            .toolCallArguments(index: 0, #""}"#), began(2), .toolCallArguments(index: 2, "{}"),
            .finished(ChatFinish(.toolCalls)),
        ])
        #expect(
            try outline(bytes) == [
                "message_start", "start 0 text", "0 so", "stop 0", "start 1 tool_use", #"1 {"a":"}\""#,
                #"1 "}"#, "stop 1", "start 2 tool_use", #"2 {"b""#, "2 :2}", "stop 2", "start 3 text",
                "3 then",
                "stop 3", "start 4 tool_use", "4 {}", "stop 4", "message_delta", "message_stop",
            ])
    }

    @Test func `calls that are cut short are written as far as they came`() throws {
        let bytes = stream([
            began(0), began(1), began(2), .toolCallArguments(index: 2, "{"),
            .toolCallArguments(index: 1, "["),
            .finished(ChatFinish(.length)),
        ])
        #expect(
            try outline(bytes) == [
                "message_start", "start 0 tool_use", "stop 0", "start 1 tool_use", "1 [", "stop 1",
                "start 2 tool_use", "2 {", "stop 2", "message_delta", "message_stop",
            ])
    }

    @Test func `any order of pieces gives each call its own arguments`() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        for offset in 0..<200 {
            var random = SeededGenerator(seed: seed &+ UInt64(offset))
            var rest = (0..<Int.random(in: 1...5, using: &random)).map { call in
                Array(#"{"n\#(call)":[{"x":"}{\""},\#(call)]}"#.map(String.init))
            }
            let expected = rest.map { $0.joined() }
            var events: [ChatEvent] = []
            var begunCount = 0
            while begunCount < rest.count || rest.contains(where: { !$0.isEmpty }) {
                let call = Int.random(in: 0...min(begunCount, rest.count - 1), using: &random)
                if call == begunCount {
                    events.append(began(call))
                    begunCount += 1
                } else if !rest[call].isEmpty {
                    events.append(.toolCallArguments(index: call, rest[call].removeFirst()))
                }
            }
            events.append(.finished(ChatFinish(.toolCalls)))
            let reply = try #require(try AnthropicCodec().decodeStream(stream(events)))
            #expect(reply.toolCalls.map(\.arguments) == expected, "seed \(seed) + \(offset)")
            #expect(
                reply.toolCalls.map(\.id) == expected.indices.map { "id\($0)" }, "seed \(seed) + \(offset)")
        }
    }

    @Test func `the true numbers come at the end, and what is known before at the start`() throws {
        let early = ChatUsage(input: 3, cacheRead: 4)
        let bytes = stream([
            .began(id: "msg_1", model: "x"), .usage(early), .text("a"), .finished(ChatFinish(.stop)),
            .usage(ChatUsage(input: 3, cacheRead: 4, output: 9)),
        ])
        let events = try ToldByAnthropic.events(bytes)
        #expect(events.first?["message"]?["usage"]?["input_tokens"]?.int == 3)
        #expect(events.first?["message"]?["usage"]?["cache_read_input_tokens"]?.int == 4)
        #expect(events.first?["message"]?["id"]?.string == "msg_1")
        let final = try #require(events.first { $0["type"]?.string == "message_delta" })
        #expect(final["usage"]?["output_tokens"]?.int == 9 && final["usage"]?["input_tokens"]?.int == 3)
        #expect(final["delta"]?["stop_reason"]?.string == "end_turn")
        let late = try ToldByAnthropic.events(stream([.text("a"), .finished(ChatFinish(.stop))]))
        #expect(late.first?["message"]?["usage"]?["input_tokens"]?.int == 0)
        #expect(late.first?["message"]?["id"]?.string == "msg_42")
    }

    @Test func `thoughts, seals and sources have blocks of their own`() throws {
        let bytes = stream([
            .reasoning("a"), .sealed(ChatSeal("s", origin: .anthropic)),
            .sealed(ChatSeal("r", origin: .anthropic, replacesText: true)), .text("t"),
            .citation(ChatCitation(url: "u")), .text("v"), .finished(ChatFinish(.stop)),
        ])
        #expect(
            try outline(bytes) == [
                "message_start", "start 0 thinking", "0 a", "0 s", "stop 0", "start 1 redacted_thinking",
                "stop 1", "start 2 text", "2 t", "2 u", "stop 2", "start 3 text", "3 v", "stop 3",
                "message_delta", "message_stop",
            ])
    }

    @Test func `a stream in which something went wrong never looks whole`() throws {
        var encoder = AnthropicFront().streamEncoder(context)
        var bytes: [UInt8] = []
        encoder.encode(.text("a"), into: &bytes)
        encoder.fail(Problem(.overloaded, code: "c", "Busy."), into: &bytes)
        encoder.encode(.finished(ChatFinish(.stop)), into: &bytes)
        encoder.end(into: &bytes)
        let last = try #require(try ToldByAnthropic.events(bytes).last)
        #expect(last["type"]?.string == "error")
        #expect(last["error"]?["type"]?.string == "overloaded_error")
        #expect(last["request_id"]?.string == "req_42")
        #expect(String(decoding: bytes, as: UTF8.self).contains("event: error\n"))
        #expect {
            _ = try AnthropicCodec().decodeStream(bytes)
        } throws: {
            ($0 as? UpstreamFault)?.kind == .overloaded
        }
        #expect(try outline(stream([.text("a")])).last == "error")
    }

    @Test func `what must be held back has a bound`() throws {
        let piece = String(repeating: "x", count: 1024 * 1024)
        let events = [began(0), began(1)] + (0..<9).map { _ in ChatEvent.toolCallArguments(index: 1, piece) }
        let bytes = stream(events + [.finished(ChatFinish(.toolCalls))])
        #expect(try outline(bytes).last == "error")
    }
}
