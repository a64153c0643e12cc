import Base
import Chat
import HTTPServer
import HTTPWire
import JSON
import Providers

extension Gateway {
    /// Answers `call`; where its answer is checked (`ChatCall.check`), only with one that fits, asking the model once more
    /// if it may.
    func serveChecked(_ call: ChatCall, _ candidates: [Candidate]) async throws {
        try await serve(call, candidates)
        if call.held != nil { try await deliverHeld(of: call, candidates) }
    }

    // What is seldom needed takes no room of every call.
    @inline(never)
    private func deliverHeld(of call: ChatCall, _ candidates: [Candidate]) async throws {
        guard let check = call.check, let held = call.held else { return }
        let faults: [JSONSchema.Fault]
        switch check.verdict(on: held.reply) {
        case .fits, .another: return try respond(held, to: call)
        case .faults(let found): faults = found
        }
        guard check.mayRepair else { throw Problem.invalidOutput(faults) }
        let repaired = try await repair(call, held.reply, faults, candidates)
        if case .faults(let left) = check.verdict(on: repaired) { throw Problem.invalidOutput(left) }
        call.exchange.responseFields.replace("X-Hivegate-Repaired", "true")
        try respond(HeldAnswer(reply: repaired, original: nil), to: call)
    }

    /// The answer to the question with what is wrong with the first one.
    private func repair(
        _ call: ChatCall, _ reply: ChatReply, _ faults: [JSONSchema.Fault], _ candidates: [Candidate]
    ) async throws -> ChatReply {
        let again = ChatCall(call, instead: try call.request().repairing(reply, faults))
        do {
            try await serve(again, candidates)
        } catch let failure as CallFailure {
            logger.warning(
                "repair failed", ("request_id", "\(call.requestID)"), ("code", "\(failure.problem.code)"))
            throw Problem.invalidOutput(faults)
        }
        call.candidate = again.candidate
        guard var repaired = again.held?.reply else { throw Problem.invalidOutput(faults) }
        repaired.usage = ChatUsage.sum(reply.usage, repaired.usage)
        return repaired
    }

    private func respond(_ held: HeldAnswer, to call: ChatCall) throws {
        let (body, type) =
            try held.original ?? (call.front.body(held.reply, try call.context()), "application/json")
        call.respond(body, type: type)
    }

    // MARK: Wishes

    /// nil where the answer is passed on as it comes.
    static func check(wishedBy call: ChatCall) throws -> OutputCheck? {
        // The dialect first: to find out by the cast alone takes longer than all the rest here.
        if call.front.dialect == .hivegate, let front = call.front as? GenerateFront {
            if call.outline.isStreaming { return nil }
            return try OutputCheck(try call.request().output, mayRepair: front.mayRepair(call.document))
        }
        let fields = call.exchange.request.fields
        guard try flag("X-Hivegate-Validate", in: fields) else { return nil }
        guard !call.outline.isStreaming else {
            throw Problem(
                .invalidRequest, code: "validation_needs_whole_answer",
                "An answer that is streamed cannot be checked before it is sent. "
                    + "Leave out X-Hivegate-Validate, or stream.", field: "stream")
        }
        let request = try call.request()
        guard request.choiceCount == 1 else {
            throw Problem(
                .invalidRequest, code: "validation_needs_one_answer",
                "One answer can be checked, not several. Leave out X-Hivegate-Validate, or n.", field: "n")
        }
        return try OutputCheck(request.output, mayRepair: try flag("X-Hivegate-Repair", in: fields))
    }

    static func flag(_ name: String, in fields: HTTPFields) throws -> Bool {
        guard let value = fields[name] else { return false }
        switch String(decoding: value, as: UTF8.self).lowercased() {
        case "true", "1": return true
        case "false", "0": return false
        default:
            throw Problem(
                .invalidRequest, code: "invalid_request", "\(name) must be true or false.", field: name)
        }
    }
}
