import Chat
import JSON
import Testing

@testable import Providers

/// Answers that are not as they should be, and what of them counts.
struct AnthropicReplyTests {
    private let codec = AnthropicCodec()

    private func stream(_ events: String...) -> [UInt8] {
        Array(events.map { "event: x\ndata: \($0)\n\n" }.joined().utf8)
    }

    private func failure(_ stream: [UInt8]) -> UpstreamFault? {
        do {
            _ = try codec.decodeStream(stream)
            return nil
        } catch { return error as? UpstreamFault }
    }

    private let start =
        #"{"type":"message_start","message":{"id":"m","usage":{"input_tokens":5,"output_tokens":1}}}"#
    private let finish =
        #"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}"#
    private let stop = #"{"type":"message_stop"}"#

    @Test(arguments: [
        ("invalid_request_error", UpstreamFault.Kind.invalidRequest),
        ("authentication_error", .unauthenticated),
        ("billing_error", .unpaid), ("permission_error", .forbidden), ("not_found_error", .notFound),
        ("request_too_large", .tooLarge), ("rate_limit_error", .rateLimited), ("timeout_error", .timedOut),
        ("overloaded_error", .overloaded), ("api_error", .failed), ("never_seen", .failed),
    ])
    func `an error in the middle of a stream is what its type says, with what was used`(
        type: String, kind: UpstreamFault.Kind
    ) {
        let error = #"{"type":"error","error":{"type":"\#(type)","message":"why"}}"#
        let fault = failure(stream(start, error, finish, stop))
        #expect(fault?.kind == kind && fault?.message == "why" && fault?.usage?.input == 5)
    }

    @Test func `an answer that is no success says what is wrong`() {
        func fault(_ status: Int, _ type: String, _ message: String) -> UpstreamFault {
            let body = #"{"type":"error","error":{"type":"\#(type)","message":"\#(message)"}}"#
            return codec.fault(status: status, body: Array(body.utf8))
        }
        let invalid = "invalid_request_error"
        #expect(fault(400, invalid, "prompt is too long: 9 tokens > 8 maximum").kind == .contextTooLong)
        #expect(fault(400, invalid, "Your credit balance is too low to access").kind == .unpaid)
        #expect(fault(400, invalid, "Output blocked by content filtering policy").kind == .contentRefused)
        #expect(fault(400, invalid, "messages.0.content.1.text: must").field == "messages.0.content.1.text")
        #expect(fault(400, invalid, "This is so: no").field == nil)
        #expect(fault(529, "api_error", "x").kind == .overloaded)
        #expect(codec.fault(status: 502, body: Array("<html>".utf8)).kind == .failed)
        #expect(codec.fault(status: 429, body: []).kind == .rateLimited)
    }

    @Test func `a stream that cannot be trusted is garbled`() {
        for bad in [
            stream(start, "{"), stream(start, #"{"type":"content_block_start","index":0}"#),
            stream(
                start, #"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"x"}}"#),
            stream(start, stop), stream(start, finish), stream(),
            stream(#"{"type":"message_start","message":{"usage":{"input_tokens":-1}}}"#),
        ] {
            #expect(failure(bad)?.kind == .garbled)
        }
        #expect(failure(stream(start, finish, stop, "{")) != nil)
        #expect(failure(stream(start, finish, stop)) == nil)
    }

    @Test(arguments: [
        "{", "[]", "{}", #"{"content":[]}"#, #"{"content":{},"stop_reason":"end_turn"}"#,
        #"{"content":[{"type":"text"}],"stop_reason":"end_turn"}"#,
        #"{"content":[{"type":"tool_use","id":"1","name":"f","input":"x"}],"stop_reason":"tool_use"}"#,
        #"{"content":[{}],"stop_reason":"end_turn"}"#, #"{"content":[],"stop_reason":7}"#,
        #"{"content":[],"stop_reason":"end_turn","usage":{"input_tokens":"5"}}"#,
    ])
    func `a whole answer that lacks what it must have is garbled`(body: String) {
        #expect {
            _ = try codec.decode(Array(body.utf8))
        } throws: {
            ($0 as? UpstreamFault)?.kind == .garbled
        }
    }

    @Test func `an error that comes as a success is an error`() {
        let body = #"{"type":"error","error":{"type":"overloaded_error","message":"x"}}"#
        #expect {
            _ = try codec.decode(Array(body.utf8))
        } throws: {
            ($0 as? UpstreamFault)?.kind == .overloaded
        }
    }

    @Test func `no token is counted twice, and none of a summary is forgotten`() throws {
        let body = #"""
            {"content":[],"stop_reason":"pause_turn","usage":{"input_tokens":10,"output_tokens":20,
             "cache_read_input_tokens":3,"cache_creation_input_tokens":7,
             "cache_creation":{"ephemeral_5m_input_tokens":5,"ephemeral_1h_input_tokens":2},
             "output_tokens_details":{"thinking_tokens":8},
             "iterations":[{"type":"message","input_tokens":10,"output_tokens":20},
              {"type":"compaction","input_tokens":100,"output_tokens":50,"cache_read_input_tokens":1,
               "cache_creation_input_tokens":0}]}}
            """#
        let reply = try codec.decode(Array(body.utf8))
        #expect(reply.finish.reason == .paused)
        #expect(
            reply.usage
                == ChatUsage(
                    input: 110, cacheRead: 4, cacheWrite: 5, cacheWriteHour: 2, output: 62, reasoning: 8))
        #expect(try codec.decode(Array(#"{"content":[],"stop_reason":"end_turn"}"#.utf8)).usage == nil)
    }

    @Test func `a call that begins with its arguments, or has none, is whole`() throws {
        let reply = try codec.decodeStream(
            stream(
                start,
                #"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"1","name":"f","input":{"a":1}}}"#,
                #"{"type":"content_block_stop","index":0}"#,
                #"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"2","name":"g","input":{}}}"#,
                #"{"type":"content_block_stop","index":1}"#, finish, stop))
        #expect(reply?.toolCalls.map(\.arguments) == [#"{"a":1}"#, "{}"])
    }
}
