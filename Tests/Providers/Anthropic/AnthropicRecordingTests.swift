import Chat
import Foundation
import JSON
import TestKit
import Testing

@testable import Providers

/// Real exchanges: what the codec makes of an answer is what the answer's own bytes say.
struct AnthropicRecordingTests {
    private let codec = AnthropicCodec()

    @Test(
        .enabled(if: RecordedExchange.areThere),
        arguments: RecordedExchange.all("anthropic_v1_messages_200_json"))
    func `a whole reply says what was recorded`(exchange: RecordedExchange) throws {
        let reply = try codec.decode(exchange.responseBody)
        let message = try JSONDocument(parsing: exchange.responseBody).root
        #expect(try ToldByAnthropic(reply) == ToldByAnthropic(message: message))
    }

    @Test(
        .enabled(if: RecordedExchange.areThere),
        arguments: RecordedExchange.all("anthropic_v1_messages_200_event_stream"))
    func `a stream says what was recorded, however it is cut`(exchange: RecordedExchange) throws {
        let expected = try ToldByAnthropic(stream: exchange.responseBody)
        let whole = try #require(try codec.decodeStream(exchange.responseBody))
        #expect(try ToldByAnthropic(whole) == expected)
        let events = try codec.events(of: exchange.responseBody)
        for size in [1, 7] {
            #expect(try codec.events(of: exchange.responseBody, pieces: size) == events)
        }
    }

    @Test(
        .enabled(if: RecordedExchange.areThere),
        arguments: RecordedExchange.all("anthropic_v1_messages_200_event_stream"))
    func `a stream that breaks off is never whole`(exchange: RecordedExchange) throws {
        var stream = exchange.responseBody
        while stream.last == 0x0A { stream.removeLast() }
        // With one line end the last event is still open, with the second it is said.
        stream.append(0x0A)
        var decoder = codec.streamDecoder()
        var events: [ChatEvent] = []
        var wholeCount = 0
        for byte in stream {
            try decoder.take([byte], into: &events)
            var cut = decoder
            var rest: [ChatEvent] = []
            do {
                try cut.end(into: &rest)
                wholeCount += 1
            } catch {}
        }
        #expect(wholeCount == 0)
        #expect(!events.contains { if case .finished = $0 { true } else { false } })
        try decoder.take([0x0A], into: &events)
        try decoder.end(into: &events)
        #expect(events.contains { if case .finished = $0 { true } else { false } })
    }

    @Test(.enabled(if: RecordedExchange.areThere), arguments: AnthropicFixture.all)
    func `streams of every kind say what they say`(fixture: AnthropicFixture) throws {
        let expected = try ToldByAnthropic(stream: fixture.bytes)
        for size in [1, 7, Int.max] {
            let reply = try #require(try codec.decodeStream(fixture.bytes, pieces: size))
            #expect(try ToldByAnthropic(reply) == expected)
        }
    }

    @Test(
        .enabled(if: RecordedExchange.areThere),
        arguments: RecordedExchange.all("anthropic_v1_messages_4", "anthropic_v1_messages_count_tokens_4"))
    func `an error is what it was recorded as`(exchange: RecordedExchange) throws {
        let fault = codec.fault(status: exchange.status, body: exchange.responseBody)
        let error = try #require(JSONDocument(parsing: exchange.responseBody)["error"])
        #expect(fault.message == error["message"]?.string)
        #expect(fault.code == error["type"]?.string)
        #expect(fault.status == exchange.status)
        let kinds: [String: UpstreamFault.Kind] = [
            "invalid_request_error": .invalidRequest, "not_found_error": .notFound,
        ]
        #expect(fault.kind == kinds[try #require(fault.code)])
    }

    @Test(
        .enabled(if: RecordedExchange.areThere),
        arguments: RecordedExchange.all("anthropic_v1_messages_200", "anthropic_v1_messages_4"))
    func `a request says the same after it was read and written`(exchange: RecordedExchange) throws {
        let request = try AnthropicFront().request(JSONDocument(parsing: exchange.requestBody))
        let written = try codec.encode(request, for: ChatTarget(model: request.model))
        #expect(written.path == "/v1/messages")
        #expect(written.fields.contains { $0.name == "anthropic-version" && $0.value == "2023-06-01" })
        #expect(try normalized(written.body) == normalized(exchange.requestBody))
    }

    @Test(
        .enabled(if: RecordedExchange.areThere),
        arguments: RecordedExchange.all("anthropic_v1_messages_count_tokens"))
    func `a request to count tokens says the same after it was read and written`(exchange: RecordedExchange)
        throws
    {
        let request = try AnthropicFront().countRequest(JSONDocument(parsing: exchange.requestBody))
        let written = try codec.encodeCount(request, for: ChatTarget(model: request.model))
        #expect(written.path == "/v1/messages/count_tokens")
        #expect(try normalized(written.body) == normalized(exchange.requestBody))
        guard exchange.status == 200 else { return }
        let count = try codec.decodeCount(exchange.responseBody)
        #expect(count == (try JSONDocument(parsing: exchange.responseBody)["input_tokens"]?.int))
        #expect(try AnthropicCodec().decodeCount(AnthropicFront().countBody(tokens: count)) == count)
    }

    /// What may differ between a request and what it becomes: what is said by saying nothing, what only this dialect
    /// has (and passes as bytes), effort without thinking (which others do not tell apart), and thinking where a tool
    /// must be called (which Anthropic refuses in messages).
    private func normalized(_ body: [UInt8]) throws -> String {
        var object = try #require(JSONSerialization.jsonObject(with: Data(body)) as? [String: Any])
        if object["stream"] as? Bool == false { object["stream"] = nil }
        object["mcp_servers"] = nil
        let choice = (object["tool_choice"] as? [String: Any])?["type"] as? String
        if choice == "any" || choice == "tool" { object["thinking"] = nil }
        if object["output_config"] != nil, object["thinking"] == nil {
            object["thinking"] = ["type": "adaptive"]
        }
        object["tools"] = (object["tools"] as? [[String: Any]])?.map { tool in
            tool.filter { $0.key != "defer_loading" }
        }
        object["messages"] = (object["messages"] as? [[String: Any]])?.map { message in
            var message = message
            message["content"] = (message["content"] as? [[String: Any]])?.map { block in
                block.filter { !($0.key == "is_error" && $0.value as? Bool == false) }
            }
            return message
        }
        if let system = object["system"] as? String { object["system"] = [["type": "text", "text": system]] }
        let data = try JSONSerialization.data(withJSONObject: object)
        return ToldByAnthropic.canonical(try JSONDocument(parsing: [UInt8](data)).root)
    }
}

/// A stream of the kind that a client of Anthropic's must be able to read.
struct AnthropicFixture: CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]

    var testDescription: String { name }

    static let all: [AnthropicFixture] = {
        let folder = RecordedExchange.folder.appendingPathComponent("anthropic_sse_fixtures")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.sorted().compactMap { name in
            guard let data = try? Data(contentsOf: folder.appendingPathComponent(name)) else { return nil }
            // The files end where the last line does, streams with an empty one.
            return AnthropicFixture(name: name, bytes: [UInt8](data) + [0x0A, 0x0A])
        }
    }()
}
