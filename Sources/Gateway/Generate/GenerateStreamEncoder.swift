import Base
import Chat
import JSON
import Providers

/// Writes a reply as our own events: `start` first, then `text` and `reasoning` as they come, then each `tool_call`,
/// `usage`, and `end`; `error` instead of the end where something goes wrong.
struct GenerateStreamEncoder: ChatStreamEncoder {
    private let context: ReplyContext
    private let framing: GenerateFraming
    private let check: OutputCheck?
    private var hasBegun = false
    /// What is checked at the end, and said there once more as a message.
    private var assembler = ReplyAssembler()

    init(_ context: ReplyContext, _ framing: GenerateFraming) {
        self.context = context
        self.framing = framing
        do throws(Problem) { check = try OutputCheck(context.request.output, mayRepair: false) } catch {
            // A request with a schema that is none is not answered.
            check = nil
        }
    }

    mutating func encode(_ event: ChatEvent, into output: inout [UInt8]) {
        assembler.take(event)
        switch event {
        case .began: begin(into: &output)
        case .text(let piece), .refusal(let piece): write("text", piece, into: &output)
        case .reasoning(let piece, _): write("reasoning", piece, into: &output)
        case .toolCallBegan, .toolCallArguments, .citation, .sealed, .media, .opaque, .usage, .finished: break
        }
    }

    mutating func end(into output: inout [UInt8]) {
        // What has not finished gets no end.
        guard let reply = assembler.reply else { return }
        begin(into: &output)
        for call in reply.toolCalls {
            framing.append("tool_call", to: &output) { json in
                json.key("tool_call")
                GenerateWriter.write(call, to: &json)
            }
        }
        framing.append("usage", to: &output) { GenerateWriter.write(reply.usage, to: &$0) }
        framing.append("end", to: &output) { json in
            json.field("finish_reason", GenerateWriter.name(of: reply.finish.reason))
            switch check?.verdict(on: reply) {
            case .fits(let value):
                json.key("output")
                json.value(value)
            case .faults(let faults): GenerateWriter.write(faults: faults, to: &json)
            case .another, nil: break
            }
            json.key("message")
            GenerateMessage.write(reply.parts, to: &json)
        }
    }

    mutating func fail(_ problem: Problem, into output: inout [UInt8]) {
        framing.append("error", to: &output) { json in
            json.key("error")
            GenerateWriter.writeError(problem, requestID: context.requestID, to: &json)
        }
    }

    private mutating func begin(into output: inout [UInt8]) {
        if hasBegun { return }
        hasBegun = true
        framing.append("start", to: &output) { json in
            json.field("request_id", context.requestID)
            GenerateWriter.write(context, model: context.request.model, to: &json)
        }
    }

    private mutating func write(_ type: String, _ piece: String, into output: inout [UInt8]) {
        if piece.isEmpty { return }
        begin(into: &output)
        framing.append(type, to: &output) { $0.field("text", piece) }
    }
}
