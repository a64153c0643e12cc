import Chat
import Foundation
import TestKit
import Testing

@testable import Providers

struct CohereReplyTests {
    private let codec = CohereCodec()

    @Test(.enabled(if: RecordedExchange.areThere), arguments: RecordedExchange.all("cohere_v2_chat_200"))
    func `a recorded answer is read as it says`(exchange: RecordedExchange) throws {
        let recorded = try #require(
            try JSONSerialization.jsonObject(with: Data(exchange.responseBody)) as? [String: Any])
        let message = try #require(recorded["message"] as? [String: Any])
        let content = message["content"] as? [[String: Any]] ?? []
        let calls = message["tool_calls"] as? [[String: Any]] ?? []
        let reply = try codec.decode(exchange.responseBody)
        #expect(reply.id == recorded["id"] as? String)
        #expect(reply.text == content.compactMap { $0["text"] as? String }.joined())
        #expect(reply.toolCalls.map(\.id) == calls.map { $0["id"] as? String })
        let functions = calls.map { $0["function"] as? [String: String] }
        #expect(reply.toolCalls.map(\.name) == functions.map { $0?["name"] })
        #expect(reply.toolCalls.map(\.arguments) == functions.map { $0?["arguments"] })
        let plans = reply.parts.compactMap { part in
            if case .reasoning(let reasoning) = part.content { reasoning.text } else { nil }
        }
        #expect(plans == [message["tool_plan"] as? String].compactMap { $0 })
        let billed = try #require(
            (recorded["usage"] as? [String: Any])?["billed_units"] as? [String: Int])
        #expect(reply.usage?.totalInput == billed["input_tokens"])
        #expect(reply.usage?.totalOutput == billed["output_tokens"])
        let reasons = ["COMPLETE": "stop", "STOP_SEQUENCE": "stop", "TOOL_CALL": "toolCalls"]
        #expect(reply.finish.reason.rawValue == reasons[recorded["finish_reason"] as? String ?? ""])
    }

    /// What was asked can be said again in our words.
    @Test(.enabled(if: RecordedExchange.areThere), arguments: RecordedExchange.all("cohere_v2_chat_200"))
    func `a recorded request is written as it was`(exchange: RecordedExchange) throws {
        let request = try Self.request(exchange)
        let written = try codec.encode(request, for: ChatTarget(model: request.model))
        let asked = try JSONSerialization.jsonObject(with: Data(exchange.requestBody)) as? NSDictionary
        let asking = try JSONSerialization.jsonObject(with: Data(written.body)) as? NSDictionary
        #expect(asked == asking)
        #expect(exchange.uri.hasSuffix(written.path))
    }

    private static func request(_ exchange: RecordedExchange) throws -> ChatRequest {
        try CohereRequestReading.request(exchange.requestBody)
    }

    @Test(.enabled(if: RecordedExchange.areThere), arguments: RecordedExchange.all("cohere_v2_embed_404"))
    func `a recorded error says what is wrong`(exchange: RecordedExchange) throws {
        let recorded = try JSONSerialization.jsonObject(with: Data(exchange.responseBody)) as? [String: Any]
        let fault = codec.fault(status: exchange.status, body: exchange.responseBody)
        #expect(fault.kind == .notFound)
        #expect(fault.message == recorded?["message"] as? String)
        #expect(fault.status == 404)
    }

    @Test(arguments: [
        (401, UpstreamFault.Kind.unauthenticated), (402, .unpaid), (403, .forbidden), (404, .notFound),
        (400, .invalidRequest), (422, .invalidRequest), (429, .rateLimited), (498, .unauthenticated),
        (500, .failed), (503, .overloaded), (504, .timedOut),
    ])
    func `a status has its kind, whatever the body is`(status: Int, kind: UpstreamFault.Kind) {
        #expect(codec.fault(status: status, body: Array("<html>".utf8)).kind == kind)
        #expect(codec.fault(status: status, body: Array(#"{"message":"no"}"#.utf8)).message == "no")
    }

    @Test func `a prompt that is too long is known as that`() {
        let body = #"{"message":"too many tokens: size limit exceeded by 12 tokens."}"#
        #expect(codec.fault(status: 400, body: Array(body.utf8)).kind == .contextTooLong)
    }

    @Test(arguments: [
        #"{"id":"1","finish_reason":"COMPLETE"}"#, #"{"id":"1","message":{"content":[]}}"#,
        #"{"finish_reason":"COMPLETE","message":{"content":[{"type":"text"}]}}"#,
        #"{"finish_reason":"TOOL_CALL","message":{"tool_calls":[{"function":{"name":"a"}}]}}"#,
        #"{"finish_reason":"COMPLETE","message":{"content":"a"#, "[]", "",
    ])
    func `half an answer is none`(body: String) {
        #expect(throws: UpstreamFault.self) { try codec.decode(Array(body.utf8)) }
    }

    @Test func `tokens count where nothing is billed, and a failed answer is a fault with its usage`() throws
    {
        let reply = try codec.decode(
            Array(
                #"""
                {"id":"1","finish_reason":"MAX_TOKENS","new":1,"message":{"role":"assistant","content":[
                {"type":"thinking","thinking":"hm"},{"type":"text","text":"a"},{"type":"later"}]},
                "usage":{"tokens":{"input_tokens":7.0,"output_tokens":2}}}
                """#.utf8))
        #expect(reply.usage == ChatUsage(input: 7, output: 2))
        #expect(reply.finish == ChatFinish(.length))
        #expect(
            reply.parts == [
                ChatPart(.reasoning(ChatReasoning("hm", seal: ChatSeal("thinking", origin: .cohere)))),
                .text("a"),
            ])
        let failed = #"{"finish_reason":"ERROR","message":{},"usage":{"tokens":{"input_tokens":7}}}"#
        let fault = #expect(throws: UpstreamFault.self) { try codec.decode(Array(failed.utf8)) }
        #expect(fault?.kind == .failed)
        #expect(fault?.usage == ChatUsage(input: 7))
    }
}
