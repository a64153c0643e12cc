import Chat
import JSON

/// Reads the chunks of a streamed completion. Further choices than the first are not read: who asked for several
/// speaks this dialect, and gets the bytes.
struct OpenAIChatStreamDecoder: ChatStreamDecoder {
    private var reader = JSONEventReader()
    private var state = State()

    mutating func take(_ bytes: [UInt8], into events: inout [ChatEvent]) throws(UpstreamFault) {
        try reader.take(bytes) { (_, document) throws(UpstreamFault) in
            try state.read(document.root, into: &events)
        }
    }

    mutating func end(into events: inout [ChatEvent]) throws(UpstreamFault) {
        guard let finish = state.finish, !reader.endsWithinEvent else {
            throw .garbled("the stream broke off before its end")
        }
        events.append(.finished(finish))
    }

    private struct State {
        private var reply = OpenAIChatReplyReader()
        private var hasBegun = false
        private(set) var finish: ChatFinish?

        mutating func read(_ chunk: JSONValue, into events: inout [ChatEvent]) throws(UpstreamFault) {
            guard chunk.kind == .object else { throw .garbled("a chunk is no object") }
            var (id, model, choices, usage) = (String?.none, String?.none, JSONValue?.none, JSONValue?.none)
            for member in chunk.members where !member.value.isNull {
                switch member.key {
                case "id": if !hasBegun { id = member.value.string }
                case "model": if !hasBegun { model = member.value.string }
                case "choices": choices = member.value
                case "usage": usage = member.value
                case "x_groq": usage = usage ?? member.value["usage"]
                case "error": throw OpenAIFault.read(member.value, status: nil)
                default: break
                }
            }
            // Azure's first chunk tells of filters, under an empty name.
            if !hasBegun, id?.isEmpty == false || model?.isEmpty == false {
                hasBegun = true
                events.append(.began(id: id, model: model))
            }
            if let choice = choices?.element(0), choice["index"]?.int ?? 0 == 0 {
                usage = usage ?? choice["usage"]
                try read(choice: choice, into: &events)
            }
            if let usage = usage.flatMap(OpenAIUsage.read) { events.append(.usage(usage)) }
        }

        private mutating func read(choice: JSONValue, into events: inout [ChatEvent]) throws(UpstreamFault) {
            if let delta = choice["delta"] { reply.read(delta, into: &events) }
            let reason = choice["finish_reason"]
            if reason?.stringEquals("error") ?? false {
                throw UpstreamFault(.failed, "the provider failed in the middle of its answer")
            }
            finish = OpenAIChatReplyReader.finish(reason, hasCalls: reply.hasCalls) ?? finish
        }
    }
}
