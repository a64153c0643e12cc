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
    /// What is checked at the end.
    private var text = ""
    private var isAnother = false
    private var calls: [Int: ChatToolCall] = [:]
    private var usage: ChatUsage?
    private var finish = ChatFinish(.stop)

    init(_ context: ReplyContext, _ framing: GenerateFraming) {
        self.context = context
        self.framing = framing
        do throws(Problem) { check = try OutputCheck(context.request.output, mayRepair: false) } catch {
            // A request with a schema that is none is not answered.
            check = nil
        }
    }

    mutating func encode(_ event: ChatEvent, into output: inout [UInt8]) {
        switch event {
        case .began: begin(into: &output)
        case .text(let piece):
            if check != nil { text += piece }
            write("text", piece, into: &output)
        case .refusal(let piece):
            isAnother = true
            write("text", piece, into: &output)
        case .reasoning(let piece, _): write("reasoning", piece, into: &output)
        case .toolCallBegan(let index, let id, let name, let isCustom):
            isAnother = true
            calls[index] = ChatToolCall(id: id, name: name, arguments: "", isCustom: isCustom)
        case .toolCallArguments(let index, let piece): calls[index]?.arguments += piece
        case .usage(let usage): self.usage = usage
        case .finished(let finish): self.finish = finish
        case .citation, .sealed, .opaque: break
        }
    }

    mutating func end(into output: inout [UInt8]) {
        begin(into: &output)
        for (_, call) in calls.sorted(by: { $0.key < $1.key }) {
            framing.append("tool_call", to: &output) { json in
                json.key("tool_call")
                GenerateWriter.write(call, to: &json)
            }
        }
        framing.append("usage", to: &output) { GenerateWriter.write(usage, to: &$0) }
        framing.append("end", to: &output) { json in
            json.field("finish_reason", GenerateWriter.name(of: finish.reason))
            switch check?.verdict(on: text, isAnother: isAnother) {
            case .fits(let value):
                json.key("output")
                json.value(value)
            case .faults(let faults): GenerateWriter.write(faults: faults, to: &json)
            case .another, nil: break
            }
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
