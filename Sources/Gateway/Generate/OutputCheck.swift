import Base
import Chat
import HTTPWire
import JSON

/// What an answer's text must be, for requests whose answer is checked before the client gets it.
struct OutputCheck: Sendable {
    /// nil: any JSON object.
    private let schema: JSONSchema?
    /// Whether a model whose answer does not fit is asked once more.
    let mayRepair: Bool

    /// nil where any text will do. Throws where `format` has a schema that is none.
    init?(_ format: ChatOutputFormat, mayRepair: Bool) throws(Problem) {
        self.mayRepair = mayRepair
        switch format {
        case .text: return nil
        case .json: schema = nil
        case .schema(let output):
            do throws(JSONSchema.Faults) { schema = try JSONSchema(output.schema) } catch {
                let fault = error.faults.first
                throw Problem(
                    .invalidRequest, code: "invalid_schema",
                    "The schema is none: \(fault?.pointer ?? "") \(fault?.message ?? "").")
            }
        }
    }

    enum Verdict {
        case fits(JSONValue)
        /// There is nothing to be checked: the model calls a tool, or declines.
        case another
        case faults([JSONSchema.Fault])
    }

    func verdict(on reply: ChatReply) -> Verdict {
        let isRefusal = reply.parts.contains { part in
            if case .refusal = part.content { true } else { false }
        }
        return verdict(on: reply.text, isAnother: !reply.toolCalls.isEmpty || isRefusal)
    }

    /// - Parameter isAnother: whether the reply also is something else than text.
    private func verdict(on text: String, isAnother: Bool) -> Verdict {
        if isAnother, text.isEmpty { return .another }
        let document: JSONDocument
        do throws(JSONError) { document = try JSONDocument(parsing: Array(text.utf8)) } catch {
            return .faults([.init("", "is not valid JSON: \(error)")])
        }
        guard let schema else {
            let isObject = document.root.kind == .object
            return isObject ? .fits(document.root) : .faults([.init("", "must be an object")])
        }
        let faults = schema.faults(of: document.root)
        return faults.isEmpty ? .fits(document.root) : .faults(faults)
    }
}

/// A whole answer that the client has not got yet.
struct HeldAnswer {
    var reply: ChatReply
    /// As the provider wrote it, where it speaks the client's dialect.
    var original: (body: [UInt8], type: String)?
}

extension ChatRequest {
    /// The same, with the answer that was given and what is wrong with it.
    func repairing(_ reply: ChatReply, _ faults: [JSONSchema.Fault]) -> ChatRequest {
        /// More of them help nobody.
        let largestFaultCount = 20
        var request = self
        let text = reply.text
        if !text.isEmpty { request.messages.append(ChatMessage(role: .assistant, text: text)) }
        let list = faults.prefix(largestFaultCount).map { fault in
            "- \(fault.pointer.isEmpty ? "the whole answer" : fault.pointer) \(fault.message)"
        }
        var lines = ["Your answer is not as it was asked for:"] + list
        if case .schema(let output) = output {
            lines.append("It must fit this JSON schema:")
            lines.append(String(decoding: output.schema.bytes, as: UTF8.self))
        }
        lines.append("Answer with the corrected JSON and nothing else.")
        request.messages.append(ChatMessage(role: .user, text: lines.joined(separator: "\n")))
        if !request.tools.isEmpty { request.toolChoice = ChatToolChoice.none }
        request.isStreaming = false
        return request
    }
}

extension ChatUsage {
    /// Of two replies together.
    static func sum(_ one: ChatUsage?, _ other: ChatUsage?) -> ChatUsage? {
        guard var sum = one, let other else { return one ?? other }
        sum.input += other.input
        sum.cacheRead += other.cacheRead
        sum.cacheWrite += other.cacheWrite
        sum.cacheWriteHour += other.cacheWriteHour
        sum.audioInput += other.audioInput
        sum.imageInput += other.imageInput
        sum.output += other.output
        sum.reasoning += other.reasoning
        sum.audioOutput += other.audioOutput
        sum.imageOutput += other.imageOutput
        sum.isEstimated = sum.isEstimated || other.isEstimated
        return sum
    }
}

extension Problem {
    static func invalidOutput(_ faults: [JSONSchema.Fault]) -> Problem {
        let shown = faults.prefix(3).map { "\($0.pointer.isEmpty ? "the answer" : $0.pointer) \($0.message)" }
        var problem = Problem(
            .badGateway, code: "invalid_output",
            "The model's answer is not as the schema wants it: \(shown.joined(separator: "; ")). "
                + "Try again, another model, or a simpler schema.")
        problem.faults = faults.map { Fault($0.pointer, $0.message) }
        // Clients try again by themselves where they read 502; that would cost as much once more.
        problem.isWorthRetrying = false
        return problem
    }
}
