import Base
import Chat
import JSON
import Providers
import Testing

struct OpenAIStreamTests {
    private static let stream = "data: {\"a\":1}\n\ndata: {\"b\":\"é\"}\r\n\r\n: note\n\ndata: [DONE]\n\n"

    @Test func `however the upstream's bytes are cut, whole events leave and nothing is lost`() throws {
        let bytes = Array(Self.stream.utf8)
        for first in 0...bytes.count {
            for second in first...bytes.count {
                var relay = OpenAIStreamRelay()
                var passed: [UInt8] = []
                for piece in [bytes[..<first], bytes[first..<second], bytes[second...]] {
                    let events = try relay.take(Array(piece))
                    #expect(events.isEmpty || events.last == 0x0A)
                    passed += events
                }
                #expect(passed == bytes)
                #expect(relay.isDone)
            }
        }
    }

    @Test func `a stream without its end mark is not done`() throws {
        var relay = OpenAIStreamRelay()
        #expect(try relay.take(Array("data: {}\n\ndata: [DO".utf8)) == Array("data: {}\n\n".utf8))
        #expect(!relay.isDone)
    }

    @Test func `an event without end is refused`() throws {
        var relay = OpenAIStreamRelay()
        #expect(throws: OpenAIStreamRelay.Failure.eventTooLarge) {
            for _ in 0..<10 { _ = try relay.take([UInt8](repeating: 0x61, count: 1024 * 1024)) }
        }
    }

    @Test func `a stream's events together say what the whole reply says`() throws {
        let encoder = OpenAIChatEncoder(
            id: "chatcmpl-1", created: Timestamp(seconds: 5), model: "sandbox/echo")
        let usage = ChatUsage(input: 3, output: 2)
        let whole = try JSONDocument(
            parsing: encoder.completion(texts: ["a \"b\""], finish: .stop, usage: usage))
        #expect(whole["object"]?.string == "chat.completion")
        #expect(whole["choices"]?.element(0)?["message"]?["content"]?.string == "a \"b\"")
        #expect(whole["usage"]?["total_tokens"]?.int == 5)
        var text = ""
        for event in [encoder.begin(), encoder.text("a "), encoder.text("\"b\""), encoder.finish(.stop)] {
            let line = String(decoding: event, as: UTF8.self)
            #expect(line.hasPrefix("data: ") && line.hasSuffix("\n\n"))
            let chunk = try JSONDocument(parsing: Array(line.dropFirst(6).dropLast(2).utf8))
            #expect(chunk["object"]?.string == "chat.completion.chunk")
            text += chunk["choices"]?.element(0)?["delta"]?["content"]?.string ?? ""
        }
        #expect(text == "a \"b\"")
    }

    @Test func `a problem has OpenAI's shape and names the request`() throws {
        let problem = Problem(.notFound, code: "model_not_found", "No such model.", field: "model")
        let body = try JSONDocument(parsing: OpenAIProblem.body(problem, requestID: "req_1"))
        #expect(body["error"]?["type"]?.string == "invalid_request_error")
        #expect(body["error"]?["param"]?.string == "model")
        #expect(body["error"]?["code"]?.string == "model_not_found")
        #expect(body["error"]?["request_id"]?.string == "req_1")
    }

    @Test func `a client never sees that the gateway's own account was refused`() {
        #expect(OpenAIUpstream.problem(status: 401, retryAfter: nil)?.kind == .badGateway)
        #expect(OpenAIUpstream.problem(status: 400, retryAfter: nil) == nil)
        #expect(OpenAIUpstream.problem(status: 503, retryAfter: "7")?.retryAfterSeconds == 7)
        #expect(OpenAIUpstream.problem(status: 500, retryAfter: nil)?.kind == .badGateway)
    }
}
