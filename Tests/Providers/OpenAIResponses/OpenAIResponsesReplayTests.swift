import Base
import Chat
import Foundation
import JSON
import TestKit
import Testing

@testable import Providers

struct OpenAIResponsesReplayTests {
    private static let answered = RecordedExchange.all(
        "openai_v1_responses_200", "api_openai_v1_responses_200", "api_v1_responses_200",
        "azure_openai_v1_responses_200", "deepseek_responses_200", "openrouter_api_v1_responses_200")
    private static let refused = RecordedExchange.all("openai_v1_responses_400", "deepseek_responses_400")
    private let codec = OpenAIResponsesCodec()
    private let front = OpenAIResponsesFront()

    @Test(.enabled(if: RecordedExchange.areThere), arguments: answered)
    func `a recorded answer is read for what it says`(exchange: RecordedExchange) throws {
        let isStream = exchange.name.contains("event_stream")
        let reply =
            isStream
            ? try #require(try codec.decodeStream(exchange.responseBody))
            : try codec.decode(exchange.responseBody)
        let expected = try Expected(exchange, isStream: isStream)
        #expect(reply.text == expected.text)
        #expect(reply.toolCalls.map { [$0.id, $0.name, $0.arguments] } == expected.calls)
        #expect(reply.reasoning.map(\.text).joined() == expected.thoughts)
        #expect(reply.reasoning.compactMap { $0.seal?.data } == expected.seals)
        #expect(reply.opaqueTypes == expected.otherTypes)
        #expect(reply.finish.reason == (expected.calls.isEmpty ? .stop : .toolCalls))
        #expect(reply.id == expected.id && reply.model == expected.model)
        let usage = try #require(reply.usage)
        #expect(usage.totalInput == expected.inputTokens && usage.cacheRead == expected.cachedTokens)
        #expect(usage.totalOutput == expected.outputTokens && usage.reasoning == expected.reasoningTokens)
        #expect(usage.cacheWrite == expected.writtenTokens)
        if isStream {
            for size in [1, 7] {
                #expect(try codec.decodeStream(exchange.responseBody, pieces: size) == reply)
            }
        }
    }

    @Test(
        .enabled(if: RecordedExchange.areThere),
        arguments: answered.filter { $0.name.contains("event_stream") })
    func `a recorded stream that is cut is not taken for a whole one`(exchange: RecordedExchange) throws {
        let mark = "data: [DONE]\n\n"
        let isMarked = String(decoding: exchange.responseBody, as: UTF8.self).hasSuffix(mark)
        try codec.expectNoPrefixIsWhole(exchange.responseBody, endLength: isMarked ? mark.utf8.count : 0)
    }

    @Test(.enabled(if: RecordedExchange.areThere), arguments: answered + refused)
    func `a recorded request is understood, and sent on with all it says`(exchange: RecordedExchange) throws {
        let document = try JSONDocument(parsing: exchange.requestBody)
        if document["conversation"] != nil {
            #expect { try front.request(document) } throws: { ($0 as? Problem)?.field == "conversation" }
            return
        }
        let request = try front.request(document)
        let json = try JSONSerialization.jsonObject(with: Data(exchange.requestBody)) as? [String: Any]
        let items = try #require(json?["input"] as? [[String: Any]])
        let said = items.flatMap { item -> [String] in
            let content = item["content"] ?? item["output"]
            if item["type"] as? String == "reasoning" { return [] }
            if let text = content as? String { return [text] }
            return (content as? [[String: Any]] ?? []).compactMap { $0["text"] as? String }
        }
        let instructions = (json?["instructions"] as? String).map { [$0] } ?? []
        let spoken = request.messages.flatMap { $0.parts.compactMap(\.plainText) }
        #expect(spoken == instructions + said)
        #expect(request.tools.count == (json?["tools"] as? [Any])?.count ?? 0)
        #expect(request.isStreaming == json?["stream"] as? Bool)

        let sent = try codec.encode(request, for: ChatTarget(model: request.model))
        #expect(try front.request(JSONDocument(parsing: sent.body)) == request.asSent)
    }

    @Test(.enabled(if: RecordedExchange.areThere), arguments: refused)
    func `a recorded refusal is understood`(exchange: RecordedExchange) throws {
        let json = try JSONSerialization.jsonObject(with: Data(exchange.responseBody)) as? [String: Any]
        let error = try #require(json?["error"] as? [String: Any])
        let fault = codec.fault(status: exchange.status, body: exchange.responseBody)
        let code = error["code"] as? String
        #expect(fault.message == error["message"] as? String && fault.status == 400)
        #expect(fault.code == code && fault.field == error["param"] as? String)
        #expect(fault.kind == (code == "model_not_found" ? .notFound : .invalidRequest))
    }

    /// What a recording says, read without the code under test.
    private struct Expected {
        var text = ""
        var calls: [[String]] = []
        var thoughts = ""
        var seals: [String] = []
        var otherTypes: [String] = []
        let id, model: String?
        let inputTokens, cachedTokens, writtenTokens, outputTokens, reasoningTokens: Int?

        init(_ exchange: RecordedExchange, isStream: Bool) throws {
            let whole: Any? =
                if isStream {
                    try ResponsesStreamCheck.events(exchange.responseBody)
                        .last { $0["type"] as? String == "response.completed" }?["response"]
                } else {
                    try JSONSerialization.jsonObject(with: Data(exchange.responseBody))
                }
            let response = try #require(whole as? [String: Any])
            for item in try #require(response["output"] as? [[String: Any]]) {
                let type = try #require(item["type"] as? String)
                let content = item["content"] as? [[String: Any]] ?? []
                switch type {
                case "message": text += content.compactMap { $0["text"] as? String }.joined()
                case "function_call":
                    calls.append(["call_id", "name", "arguments"].map { item[$0] as? String ?? "" })
                case "reasoning":
                    let summary = item["summary"] as? [[String: Any]] ?? []
                    thoughts += (content + summary).compactMap { $0["text"] as? String }
                        .joined(separator: "\n\n")
                    if let seal = item["encrypted_content"] as? String { seals.append(seal) }
                default: otherTypes.append(type)
                }
            }
            id = response["id"] as? String
            model = response["model"] as? String
            let usage = try #require(response["usage"] as? [String: Any])
            let input = usage["input_tokens_details"] as? [String: Any]
            inputTokens = usage["input_tokens"] as? Int
            outputTokens = usage["output_tokens"] as? Int
            cachedTokens = input?["cached_tokens"] as? Int
            writtenTokens = input?["cache_write_tokens"] as? Int ?? 0
            reasoningTokens =
                (usage["output_tokens_details"] as? [String: Any])?["reasoning_tokens"] as? Int
        }
    }
}

extension ChatReply {
    fileprivate var reasoning: [ChatReasoning] {
        parts.compactMap { part in
            if case .reasoning(let reasoning) = part.content { reasoning } else { nil }
        }
    }

    fileprivate var opaqueTypes: [String] {
        parts.compactMap { part in
            if case .opaque(_, let type, _) = part.content { type } else { nil }
        }
    }
}

extension ChatRequest {
    /// What the format says of itself where a request is silent, and without thoughts that nobody vouches for.
    fileprivate var asSent: ChatRequest {
        var copy = self
        copy.hints.store = hints.store ?? false
        for index in tools.indices {
            if case .function(var function) = tools[index].kind {
                function.isStrict = function.isStrict ?? false
                copy.tools[index].kind = .function(function)
            }
        }
        for index in messages.indices {
            copy.messages[index].parts.removeAll { part in
                if case .reasoning(let reasoning) = part.content { reasoning.seal == nil } else { false }
            }
            for place in copy.messages[index].parts.indices { copy.messages[index].parts[place].cache = nil }
        }
        return copy
    }
}
