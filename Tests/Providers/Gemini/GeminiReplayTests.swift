import Base
import Chat
import Foundation
import JSON
import TestKit
import Testing

@testable import Providers

struct GeminiReplayTests {
    private static let whole = RecordedExchange.all("gemini_v1beta_models_x_generatecontent_200")
    private static let streamed = RecordedExchange.all("gemini_v1beta_models_x_streamgeneratecontent_200")
    private static let refused = RecordedExchange.all(
        "gemini_v1beta_models_x_generatecontent_404", "gemini_v1beta_models_x_counttokens_404")
    private let codec = GeminiCodec()

    @Test(.enabled(if: RecordedExchange.areThere), arguments: whole + streamed)
    func `a recorded answer is read for what it says`(exchange: RecordedExchange) throws {
        let isStream = exchange.uri.contains("stream")
        let reply =
            isStream
            ? try #require(try codec.decodeStream(exchange.responseBody))
            : try codec.decode(exchange.responseBody)
        let expected = try Expected(exchange)
        #expect(reply.text == expected.text)
        #expect(reply.toolCalls.map(\.name) == expected.calls.map { $0["name"] as? String })
        for (call, recorded) in zip(reply.toolCalls, expected.calls) {
            let arguments = try JSONSerialization.jsonObject(with: Data(call.arguments.utf8)) as? NSDictionary
            #expect(arguments == recorded["args"] as? NSDictionary)
            #expect(call.id == recorded["id"] as? String ?? "call_\(expected.id ?? "")_0")
        }
        let reasoning = reply.parts.compactMap { part -> ChatReasoning? in
            if case .reasoning(let reasoning) = part.content { reasoning } else { nil }
        }
        #expect(reasoning.map(\.text).joined() == expected.thoughts)
        #expect(reasoning.compactMap { $0.seal?.data } == expected.signatures)
        #expect(reply.id == expected.id && reply.model == expected.model)
        #expect(reply.finish.reason == (expected.calls.isEmpty ? .stop : .toolCalls))
        #expect(
            reply.usage
                == ChatUsage(
                    input: expected.count("promptTokenCount") + expected.count("toolUsePromptTokenCount"),
                    output: expected.count("candidatesTokenCount"),
                    reasoning: expected.count("thoughtsTokenCount")))
        if isStream {
            for size in [1, 7] {
                #expect(try codec.decodeStream(exchange.responseBody, pieces: size) == reply)
            }
        }
    }

    @Test(.enabled(if: RecordedExchange.areThere), arguments: streamed)
    func `a recorded stream that is cut is not taken for a whole one`(exchange: RecordedExchange) throws {
        try codec.expectNoPrefixIsWhole(exchange.responseBody)
    }

    @Test(.enabled(if: RecordedExchange.areThere), arguments: whole + streamed)
    func `a recorded request is sent on with all it says`(exchange: RecordedExchange) throws {
        let model = try #require(exchange.uri.split(separator: "/").last?.split(separator: ":").first)
        let request = try GeminiRequestDecoder.request(
            exchange.requestBody, model: String(model), isStreaming: exchange.uri.contains("stream"))
        let sent = try codec.encode(request, for: ChatTarget(model: request.model))
        #expect(exchange.uri.hasSuffix(sent.path))
        let recorded = try JSONDocument(parsing: exchange.requestBody)
        let written = try JSONDocument(parsing: sent.body)
        #expect(written["contents"] == recorded["contents"])
        #expect(written["systemInstruction"]?["parts"] == recorded["systemInstruction"]?["parts"])
        let schema = recorded["generationConfig"]?["responseJsonSchema"]
        #expect(written["generationConfig"]?["responseJsonSchema"] == schema)
        #expect(written["tools"]?.count == recorded["tools"]?.count)
    }

    /// Where an answer calls tools, the next request of that conversation gives the call back as it came.
    @Test(.enabled(if: RecordedExchange.areThere), arguments: whole + streamed)
    func `an answer is given back with its signatures where they were`(exchange: RecordedExchange) throws {
        let reply = try #require(
            exchange.uri.contains("stream")
                ? try codec.decodeStream(exchange.responseBody) : try codec.decode(exchange.responseBody))
        let request = ChatRequest(
            model: "m", messages: [ChatMessage(role: .user, text: "x"), ChatMessage(.assistant, reply.parts)])
        let sent = try codec.encode(request, for: ChatTarget(model: "gemini-3-flash"))
        let parts = try #require(try JSONDocument(parsing: sent.body)["contents"]?.element(1)?["parts"])
        let expected = try Expected(exchange)
        var signatures: [String] = []
        for part in parts.elements {
            guard let signature = part["thoughtSignature"]?.string,
                // A call that came without is signed with what says so.
                signature != "skip_thought_signature_validator"
            else { continue }
            signatures.append(signature)
            let kinds = ["functionCall", "text", "toolCall", "toolResponse"].filter { part.member($0) != nil }
            #expect(kinds == [expected.signed[signature] ?? ""])
        }
        #expect(signatures == expected.signedInOrder)
    }

    @Test(.enabled(if: RecordedExchange.areThere), arguments: refused)
    func `a recorded refusal is understood`(exchange: RecordedExchange) throws {
        let json = try JSONSerialization.jsonObject(with: Data(exchange.responseBody)) as? [String: Any]
        let error = try #require(json?["error"] as? [String: Any])
        let fault = codec.fault(status: exchange.status, body: exchange.responseBody)
        #expect(fault.message == error["message"] as? String && fault.status == exchange.status)
        #expect(fault.kind == .notFound && fault.code == error["status"] as? String)
    }

    @Test(
        .enabled(if: RecordedExchange.areThere),
        arguments: RecordedExchange.all("gemini_v1beta_models_x_counttokens_200"))
    func `tokens are counted as recorded`(exchange: RecordedExchange) throws {
        let model = try #require(exchange.uri.split(separator: "/").last?.split(separator: ":").first)
        let request = try GeminiRequestDecoder.request(
            exchange.requestBody, model: String(model), isStreaming: false)
        let sent = try GeminiTokenCount.encode(request, for: ChatTarget(model: request.model))
        #expect(exchange.uri.hasSuffix(sent.path))
        #expect(try JSONDocument(parsing: sent.body).root == JSONDocument(parsing: exchange.requestBody).root)
        let json = try JSONSerialization.jsonObject(with: Data(exchange.responseBody)) as? [String: Any]
        #expect(try GeminiTokenCount.decode(exchange.responseBody) == json?["totalTokens"] as? Int)
    }

    /// What a recording says, read without the code under test.
    private struct Expected {
        var text = ""
        var thoughts = ""
        var calls: [[String: Any]] = []
        /// Those that are no part of something that is given back as it is.
        var signatures: [String] = []
        var signedInOrder: [String] = []
        /// What is signed with a signature.
        var signed: [String: String] = [:]
        var id, model: String?
        private var usage: [String: Any] = [:]

        init(_ exchange: RecordedExchange) throws {
            let body = String(decoding: exchange.responseBody, as: UTF8.self)
            let answers =
                exchange.uri.contains("stream")
                ? body.components(separatedBy: "\r\n\r\n").filter { !$0.isEmpty }.map { $0.dropFirst(6) }
                : [body[...]]
            for answer in answers {
                let json = try JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [String: Any]
                let fields = try #require(json)
                id = fields["responseId"] as? String
                model = fields["modelVersion"] as? String
                usage = fields["usageMetadata"] as? [String: Any] ?? usage
                let candidate = (fields["candidates"] as? [[String: Any]])?.first
                let content = candidate?["content"] as? [String: Any]
                for part in content?["parts"] as? [[String: Any]] ?? [] { take(part) }
            }
        }

        private mutating func take(_ part: [String: Any]) {
            let said = part["text"] as? String ?? ""
            if part["thought"] as? Bool == true { thoughts += said } else { text += said }
            if let call = part["functionCall"] as? [String: Any] { calls.append(call) }
            guard let signature = part["thoughtSignature"] as? String else { return }
            signedInOrder.append(signature)
            signed[signature] = part.keys.first { $0 != "thoughtSignature" }
            if part["text"] != nil || part["functionCall"] != nil { signatures.append(signature) }
        }

        func count(_ name: String) -> Int { usage[name] as? Int ?? 0 }
    }
}
