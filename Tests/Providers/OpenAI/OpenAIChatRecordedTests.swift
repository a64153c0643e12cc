import Chat
import Foundation
import JSON
import TestKit
import Testing

@testable import Providers

/// Real answers of providers that speak OpenAI's chat dialect, read by the codec and compared with what the recording
/// itself says, which is read here in the plainest way.
@Suite(.enabled(if: RecordedExchange.areThere))
struct OpenAIChatRecordedTests {
    private static let all = RecordedExchange.all(
        "api_v1_chat_completions", "cerebras_v1_chat", "deepseek_chat", "gemini_v1beta_openai_chat",
        "groq_openai",
        "huggingface_", "mistral_v1_chat", "ollama_v1_chat", "openai_v1_chat", "openrouter_api_v1_chat")
    private static let whole = all.filter { $0.status == 200 && !$0.name.contains("event_stream") }
    private static let streams = all.filter { $0.status == 200 && $0.name.contains("event_stream") }
    private static let refusals = all.filter { $0.status != 200 }

    private let codec = OpenAIChatCodec()

    @Test func `there are recordings of each kind`() {
        #expect(Self.whole.count > 20 && Self.streams.count > 10 && Self.refusals.count > 8)
    }

    @Test(arguments: whole)
    func `a whole answer says what was recorded`(exchange: RecordedExchange) throws {
        let root = try JSONDocument(parsing: exchange.responseBody).root
        // OpenRouter reports some errors with a 200.
        if let error = root["error"], !error.isNull {
            #expect(throws: UpstreamFault.self) { try codec.decode(exchange.responseBody) }
            return
        }
        let reply = try codec.decode(exchange.responseBody)
        let choice = try #require(root["choices"]?.element(0))
        var recorded = Recorded()
        recorded.add(try #require(choice["message"]))
        recorded.reason = choice["finish_reason"]?.string
        recorded.usage = root["usage"]
        try recorded.compare(reply)
        #expect(reply.model == root["model"]?.string)
    }

    @Test(arguments: streams)
    func `a stream says what was recorded, however it is cut`(exchange: RecordedExchange) throws {
        var recorded = Recorded()
        var error: JSONValue?
        let text = String(decoding: exchange.responseBody, as: UTF8.self)
        for line in text.split(whereSeparator: \.isNewline) where line.hasPrefix("data: {") {
            let chunk = try JSONDocument(parsing: Array(line.dropFirst(6).utf8)).root
            if let usage = chunk["usage"], !usage.isNull { recorded.usage = usage }
            if let value = chunk["error"], !value.isNull { error = value }
            guard let choice = chunk["choices"]?.element(0) else { continue }
            if let delta = choice["delta"] { recorded.add(delta) }
            recorded.reason = choice["finish_reason"]?.string ?? recorded.reason
        }
        if error != nil {
            #expect(throws: UpstreamFault.self) { try codec.decodeStream(exchange.responseBody) }
            return
        }
        let reply = try #require(try codec.decodeStream(exchange.responseBody))
        try recorded.compare(reply)
        for size in [1, 7] {
            #expect(try codec.decodeStream(exchange.responseBody, pieces: size) == reply)
        }
    }

    @Test(arguments: streams)
    func `a stream that was cut off is never whole`(exchange: RecordedExchange) throws {
        let bytes = exchange.responseBody
        let text = String(decoding: bytes, as: UTF8.self)
        let end = try #require(text.range(of: #""finish_reason":\s*"[a-z_]+""#, options: .regularExpression))
        let whole = text.utf8.distance(from: text.startIndex, to: end.lowerBound)
        for cut in stride(from: 0, to: whole, by: max(1, whole / 200)) {
            #expect(throws: UpstreamFault.self) { try codec.decodeStream(Array(bytes[..<cut])) }
        }
    }

    @Test(arguments: refusals)
    func `a refusal is understood`(exchange: RecordedExchange) throws {
        let fault = codec.fault(status: exchange.status, body: exchange.responseBody)
        #expect(fault.status == exchange.status)
        let message = try JSONDocument(parsing: exchange.responseBody)["error"]?["message"]?.string
        #expect(fault.message == message)
        switch exchange.status {
        case 429: #expect(fault.kind == .rateLimited)
        case 404: #expect(fault.kind == .notFound)
        default: #expect([.invalidRequest, .contextTooLong, .contentRefused].contains(fault.kind))
        }
    }

    @Test(arguments: all)
    func `a recorded request means the same after it was read and written again`(exchange: RecordedExchange)
        throws
    {
        guard let document = try? JSONDocument(parsing: exchange.requestBody) else { return }
        let front = OpenAIChatFront()
        let request = try front.request(document)
        var quirks = OpenAIQuirks()
        quirks.knowsDeveloperRole = true
        quirks.knowsCacheMarkers = true
        quirks.thinkingSwitch = .object
        quirks.thoughtsBack = .reasoningDetails
        let written = try OpenAIChatCodec(quirks).encode(request, for: ChatTarget(model: request.model))
        var again = try front.request(JSONDocument(parsing: written.body))
        // We ask for the usage of every stream.
        again.includesUsage = request.includesUsage
        #expect(again == request)
    }
}

/// What a message says, put together from the recording.
private struct Recorded {
    var text = ""
    var reasoning = ""
    var calls: [(id: String, name: String, arguments: String)] = []
    var reason: String?
    var usage: JSONValue?

    mutating func add(_ message: JSONValue) {
        if let content = message["content"] {
            text += content.string ?? ""
            for part in content.elements {
                text += part["text"]?.string ?? ""
                for thought in part["thinking"]?.elements.map({ $0 }) ?? [] {
                    reasoning += thought["text"]?.string ?? ""
                }
            }
        }
        reasoning += message["reasoning_content"]?.string ?? message["reasoning"]?.string ?? ""
        for call in message["tool_calls"]?.elements.map({ $0 }) ?? [] {
            let index = call["index"]?.int
            if index == nil || index == calls.count {
                calls.append((call["id"]?.string ?? "", call["function"]?["name"]?.string ?? "", ""))
            }
            calls[index ?? calls.count - 1].arguments += call["function"]?["arguments"]?.string ?? ""
        }
    }

    func compare(_ reply: ChatReply) throws {
        #expect(reply.text == text)
        #expect(reply.toolCalls.map(\.id) == calls.map(\.id))
        #expect(reply.toolCalls.map(\.name) == calls.map(\.name))
        #expect(reply.toolCalls.map(\.arguments) == calls.map(\.arguments))
        let thoughts = reply.parts.map { part in
            if case .reasoning(let reasoning) = part.content { reasoning.text } else { "" }
        }
        // Details hold the same words, sealed and in pieces.
        #expect(thoughts.joined() == reasoning)
        let expected: ChatFinish.Reason =
            switch reason {
            case "length": .length
            case "tool_calls", "function_call": .toolCalls
            case "content_filter": .contentFilter
            default: calls.isEmpty ? .stop : .toolCalls
            }
        #expect(reply.finish.reason == expected)
        guard let usage else { return #expect(reply.usage == nil) }
        let counted = try #require(reply.usage)
        #expect(counted.totalInput == usage["prompt_tokens"]?.int)
        let reasoned = usage["completion_tokens_details"]?["reasoning_tokens"]?.int ?? 0
        let isApart =
            usage["total_tokens"]?.int
            == (usage["prompt_tokens"]?.int ?? 0) + (usage["completion_tokens"]?.int ?? 0) + reasoned
        #expect(counted.totalOutput == (usage["completion_tokens"]?.int ?? 0) + (isApart ? reasoned : 0))
        #expect(counted.reasoning == reasoned)
        #expect(
            counted.cacheRead == usage["prompt_tokens_details"]?["cached_tokens"]?.int
                ?? usage["prompt_cache_hit_tokens"]?.int ?? usage["num_cached_tokens"]?.int ?? 0)
    }
}
