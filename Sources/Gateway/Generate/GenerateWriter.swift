import Base
import Chat
import JSON
import Providers

/// Writes answers in our own way.
enum GenerateWriter {
    static func answer(_ reply: ChatReply, _ context: ReplyContext) -> [UInt8] {
        let request = context.request
        var json = JSONWriter(capacity: 512)
        json.object { json in
            json.field("id", context.requestID)
            write(context, model: request.model, to: &json)
            json.field("text", spoken(reply))
            if case .fits(let output) = verdict(on: reply, request.output) {
                json.key("output")
                json.value(output)
            }
            json.array("tool_calls") { json in for call in reply.toolCalls { write(call, to: &json) } }
            json.key("reasoning")
            if let reasoning = reasoning(of: reply) { json.value(reasoning) } else { json.null() }
            json.key("message")
            GenerateMessage.write(reply.parts, to: &json)
            json.field("finish_reason", name(of: reply.finish.reason))
            write(reply.usage, to: &json)
        }
        return json.bytes
    }

    static func problem(_ problem: Problem, requestID: String) -> [UInt8] {
        guard problem.code == "invalid_output" else {
            return OpenAIProblem.body(problem, requestID: requestID)
        }
        var bare = problem
        bare.faults = []
        var json = JSONWriter(capacity: 512)
        json.object { json in
            json.key("error")
            writeError(bare, requestID: requestID, to: &json)
            write(faults: problem.faults.map { .init($0.field, $0.message) }, to: &json)
        }
        return json.bytes
    }

    // MARK: Pieces

    /// The object under `error` that all of our errors have.
    static func writeError(_ problem: Problem, requestID: String, to json: inout JSONWriter) {
        let body = OpenAIProblem.body(problem, requestID: requestID)
        guard let error = (try? JSONDocument(parsing: body))?["error"] else { return json.null() }
        json.value(error)
    }

    static func write(faults: [JSONSchema.Fault], to json: inout JSONWriter) {
        json.array("output_faults") { json in
            for fault in faults {
                json.object { json in
                    json.field("pointer", fault.pointer)
                    json.field("message", fault.message)
                }
            }
        }
    }

    /// Who answers, and how often it was tried.
    static func write(_ context: ReplyContext, model: String, to json: inout JSONWriter) {
        json.field("model", context.server?.model ?? model)
        json.key("provider")
        if let server = context.server { json.value(server.provider) } else { json.null() }
        json.field("attempts", context.server?.attempts ?? 0)
    }

    /// As it goes into the messages of the next request.
    static func write(_ call: ChatToolCall, to json: inout JSONWriter) {
        json.object { json in
            json.field("id", call.id)
            json.field("type", "function")
            json.object("function") { json in
                json.field("name", call.name)
                json.field("arguments", call.arguments)
            }
        }
    }

    static func write(_ usage: ChatUsage?, to json: inout JSONWriter) {
        json.key("usage")
        guard let usage else { return json.null() }
        json.object { json in
            json.field("input", usage.input + usage.audioInput)
            json.field("cache_read", usage.cacheRead)
            json.field("cache_write", usage.cacheWrite + usage.cacheWriteHour)
            json.field("output", usage.output + usage.audioOutput)
            json.field("reasoning", usage.reasoning)
            json.field("is_estimated", usage.isEstimated)
        }
    }

    static func name(of reason: ChatFinish.Reason) -> String {
        switch reason {
        case .stop: "stop"
        case .length: "length"
        case .toolCalls: "tool_calls"
        case .contentFilter: "content_filter"
        case .paused: "paused"
        }
    }

    private static func spoken(_ reply: ChatReply) -> String {
        reply.parts.compactMap { part in
            switch part.content {
            case .text(let text): text.text
            case .refusal(let text): text
            default: nil
            }
        }.joined()
    }

    private static func reasoning(of reply: ChatReply) -> String? {
        let thoughts = reply.parts.compactMap { part in
            if case .reasoning(let reasoning) = part.content { reasoning.text } else { nil }
        }.joined()
        return thoughts.isEmpty ? nil : thoughts
    }

    /// `another` where no output was asked for.
    private static func verdict(on reply: ChatReply, _ format: ChatOutputFormat) -> OutputCheck.Verdict {
        do throws(Problem) {
            return try OutputCheck(format, mayRepair: false)?.verdict(on: reply) ?? .another
        } catch {
            return .another
        }
    }
}
