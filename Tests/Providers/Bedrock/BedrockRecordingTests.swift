import Chat
import Foundation
import JSON
import TestKit
import Testing

@testable import Providers

/// Real exchanges: what the codec makes of an answer is what the answer's own bytes say.
struct BedrockRecordingTests {
    /// The codec for the model that was asked.
    private func codec(_ exchange: RecordedExchange) throws -> BedrockCodec {
        let path = try #require(URL(string: exchange.uri)?.path(percentEncoded: true))
        let model = try #require(path.split(separator: "/").dropFirst().first?.removingPercentEncoding)
        return BedrockCodec(model: model)
    }

    private func origin(_ exchange: RecordedExchange) -> ChatDialect {
        exchange.uri.contains("anthropic") ? .anthropic : .bedrock
    }

    @Test(
        .enabled(if: RecordedExchange.areThere),
        arguments: RecordedExchange.all("amazonaws_model_x_converse_200"))
    func `a whole reply says what was recorded`(exchange: RecordedExchange) throws {
        let reply = try codec(exchange).decode(exchange.responseBody)
        let expected = try ToldByBedrock(whole: JSONDocument(parsing: exchange.responseBody).root)
        #expect(try ToldByBedrock(reply, sealOrigin: origin(exchange)) == expected)
    }

    @Test(
        .enabled(if: RecordedExchange.areThere),
        arguments: RecordedExchange.all("amazonaws_model_x_converse_stream_200"))
    func `a stream says what was recorded, however it is cut`(exchange: RecordedExchange) throws {
        let codec = try codec(exchange)
        let expected = try ToldByBedrock(stream: exchange.responseBody)
        let whole = try #require(try codec.decodeStream(exchange.responseBody))
        #expect(try ToldByBedrock(whole, sealOrigin: origin(exchange)) == expected)
        let events = try codec.events(of: exchange.responseBody)
        for size in [1, 7] {
            #expect(try codec.events(of: exchange.responseBody, pieces: size) == events)
        }
    }

    @Test(
        .enabled(if: RecordedExchange.areThere),
        arguments: RecordedExchange.all("amazonaws_model_x_converse_stream_200"))
    func `a stream that breaks off is never whole`(exchange: RecordedExchange) throws {
        var decoder = try codec(exchange).streamDecoder()
        var events: [ChatEvent] = []
        var wholeCount = 0
        for byte in exchange.responseBody.dropLast() {
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
        try decoder.take([try #require(exchange.responseBody.last)], into: &events)
        try decoder.end(into: &events)
        #expect(events.contains { if case .finished = $0 { true } else { false } })
    }

    @Test(
        .enabled(if: RecordedExchange.areThere),
        arguments: RecordedExchange.all("amazonaws_model_x").filter { $0.status != 200 })
    func `an error is what it was recorded as`(exchange: RecordedExchange) throws {
        let fault = try codec(exchange).fault(status: exchange.status, body: exchange.responseBody)
        let message = try #require(JSONDocument(parsing: exchange.responseBody)["message"]?.string)
        #expect(fault.message == message && fault.status == exchange.status)
        #expect(fault.kind == (message.contains("identifier is invalid") ? .notFound : .invalidRequest))
    }

    @Test(
        .enabled(if: RecordedExchange.areThere),
        arguments: RecordedExchange.all("amazonaws_model_x_converse").filter { $0.status == 200 })
    func `a request is sent where it was recorded, and asks for the same`(exchange: RecordedExchange) throws {
        let recorded = try JSONDocument(parsing: exchange.requestBody)
        let model = try #require(
            exchange.uri.split(separator: "/").dropFirst(3).first.flatMap {
                String($0).removingPercentEncoding
            })
        let request = try request(recorded.root, model: model, exchange)
        let written = try codec(exchange).encode(request, for: ChatTarget(model: model))
        #expect(exchange.uri.hasSuffix(written.path))
        var body = try JSONDocument(parsing: written.body)
        if recorded["system"]?.count == 0, body["system"] == nil {
            body = try JSONDocument(parsing: body.patched([.set(["system"], Array("[]".utf8))]))
        }
        #expect(
            ToldByAnthropic.canonical(body.root).replacingOccurrences(of: " ", with: "")
                == ToldByAnthropic.canonical(recorded.root).replacingOccurrences(of: " ", with: ""))
    }

    @Test(
        .enabled(if: RecordedExchange.areThere),
        arguments: RecordedExchange.all("amazonaws_model_x_count_tokens_200"))
    func `a request to count tokens asks what was recorded`(exchange: RecordedExchange) throws {
        let recorded = try JSONDocument(parsing: exchange.requestBody)
        let converse = try #require(recorded["input"]?["converse"])
        let model = "anthropic.claude-sonnet-4-20250514-v1:0"
        let request = try request(converse, model: model, exchange)
        for name in [model, "eu.\(model)"] {
            let written = try BedrockCodec(model: name).encodeCount(request, for: ChatTarget(model: name))
            #expect(exchange.uri.hasSuffix(written.path))
            let body = try JSONDocument(parsing: written.body)
            #expect(body["input"]?["converse"]?["messages"] == converse["messages"])
            #expect(body["input"]?["converse"]?["inferenceConfig"] == nil)
        }
        let count = try BedrockCodec(model: model).decodeCount(exchange.responseBody)
        #expect(count == (try JSONDocument(parsing: exchange.responseBody)["inputTokens"]?.int))
    }

    /// Others have asked with the body of `InvokeModel`. We ask with that of `Converse`, because that is what we will send:
    /// the count is of what would be charged if the same input were sent, as Amazon's description of the service says.
    @Test(
        .enabled(if: RecordedExchange.areThere),
        arguments: RecordedExchange.all("amazonaws_model_x_0_count_tokens"))
    func `what was asked in the model's own words is asked in those of Converse`(exchange: RecordedExchange)
        throws
    {
        let recorded = try JSONDocument(parsing: exchange.requestBody)
        let data = try #require(
            recorded["input"]?["invokeModel"]?["body"]?.string.flatMap { Data(base64Encoded: $0) })
        let asked = try #require(exchange.uri.split(separator: "/").dropFirst(3).first.map(String.init))
        let invoked = try JSONDocument(parsing: [UInt8](data))
        let named = try invoked.patched([.set(["model"], Array("\"\(asked)\"".utf8))])
        let (request, omitted) = try AnthropicFront().countRequest(JSONDocument(parsing: named))
            .leavingOutForeignTools(for: .bedrock)
        let written = try BedrockCodec(model: asked).encodeCount(request, for: ChatTarget(model: asked))
        let input = try #require(try JSONDocument(parsing: written.body)["input"])
        #expect(input.members.map(\.key.string) == ["converse"])
        let message = try #require(invoked["messages"]?.element(0))
        let text = message["content"]?.string ?? message["content"]?.element(0)?["text"]?.string
        #expect(input["converse"]?["messages"]?.count == 1)
        #expect(input["converse"]?["messages"]?.element(0)?["content"]?.element(0)?["text"]?.string == text)
        #expect(input["converse"]?["system"]?.element(0)?["text"]?.string == invoked["system"]?.string)
        switch exchange.status {
        case 200:
            #expect(Self.isSent(written, where: exchange))
            #expect(try BedrockCodec(model: asked).decodeCount(exchange.responseBody) == 18)
        case _ where asked.hasPrefix("us."):
            // It was refused because a profile was asked: we ask its model.
            #expect(!Self.isSent(written, where: exchange))
            #expect(written.path == "/model/anthropic.claude-sonnet-4-20250514-v1%3A0/count-tokens")
        default:
            // It was refused for a tool that Anthropic runs: we leave that out, here as where it is answered.
            #expect(Self.isSent(written, where: exchange))
            #expect(omitted == ["tools.web_search_20250305"] && input["converse"]?["toolConfig"] == nil)
        }
    }

    /// The recorded client left colons as they are.
    private static func isSent(_ request: UpstreamRequest, where exchange: RecordedExchange) -> Bool {
        exchange.uri.hasSuffix(request.path.replacing("%3A", with: ":"))
    }

    /// What somebody who sent the recorded body meant: there is no front of this dialect to read it.
    private func request(_ body: JSONValue, model: String, _ exchange: RecordedExchange) throws -> ChatRequest
    {
        var request = ChatRequest(model: model, messages: [])
        for text in try #require(body["system"]).elements {
            request.messages.append(ChatMessage(role: .system, text: try #require(text["text"]?.string)))
        }
        for message in try #require(body["messages"]).elements {
            let texts = try #require(message["content"]).elements.map { try #require($0["text"]?.string) }
            request.messages.append(ChatMessage(.user, texts.map { .text($0) }))
        }
        for tool in body["toolConfig"]?["tools"]?.elements.map({ $0["toolSpec"] }) ?? [] {
            request.tools.append(
                ChatTool(
                    .function(
                        .init(
                            name: try #require(tool?["name"]?.string),
                            description: tool?["description"]?.string,
                            parameters: tool?["inputSchema"]?["json"], isStrict: tool?["strict"]?.bool))))
        }
        if body["toolConfig"]?["toolChoice"]?["auto"] != nil { request.toolChoice = .auto }
        if let schema = body["outputConfig"]?["textFormat"]?["structure"]?["jsonSchema"] {
            let text = try #require(schema["schema"]?.string)
            request.output = .schema(
                .init(
                    name: try #require(schema["name"]?.string), description: schema["description"]?.string,
                    schema: try JSONDocument(parsing: Array(text.utf8)).root))
        }
        request.sampling.temperature = body["inferenceConfig"]?["temperature"]?.double
        request.sampling.topP = body["inferenceConfig"]?["topP"]?.double
        request.sampling.maximumTokens = body["inferenceConfig"]?["maxTokens"]?.int
        if let budget = body["additionalModelRequestFields"]?["thinking"]?["budget_tokens"]?.int {
            request.reasoning = ChatReasoningOptions(.tokens(budget))
        }
        request.isStreaming = exchange.uri.hasSuffix("-stream")
        return request
    }
}
