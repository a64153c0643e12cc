import Chat
import JSON

/// Reads what Ollama answers. An answer that is not streamed is a stream of one line.
struct OllamaReplyReader {
    private(set) var isOver = false
    private let firstCall: Int
    private var callCount = 0
    private var hasBegun = false
    private var isThinking = false

    /// More calls than this in one answer are none.
    private static let largestCallCount = 1024

    init(firstCall: Int) { self.firstCall = firstCall }

    mutating func take(_ line: JSONValue, into events: inout [ChatEvent]) throws(UpstreamFault) {
        guard !isOver else { return }
        guard line.kind == .object else { throw .garbled("a line that is no object") }
        if let fault = OllamaFault.read(line: line) { throw fault }
        if !hasBegun {
            hasBegun = true
            events.append(.began(id: nil, model: line["model"]?.string))
        }
        if let message = line["message"].present { try take(message: message, &events) }
        if line["done"]?.bool == true {
            endThought(&events)
            try end(line, &events)
        }
    }

    private mutating func take(message: JSONValue, _ events: inout [ChatEvent]) throws(UpstreamFault) {
        guard message.kind == .object else { throw .garbled("a message that is no object") }
        if let thought = try text(message["thinking"]) {
            isThinking = true
            events.append(.reasoning(thought))
        }
        if let text = try text(message["content"]) {
            endThought(&events)
            events.append(.text(text))
        }
        guard let calls = message["tool_calls"].present else { return }
        endThought(&events)
        for call in calls.elements { try take(call: call, &events) }
    }

    private func text(_ value: JSONValue?) throws(UpstreamFault) -> String? {
        guard let value = value.present else { return nil }
        guard let text = value.string else { throw .garbled("text that is none") }
        return text.isEmpty ? nil : text
    }

    private mutating func endThought(_ events: inout [ChatEvent]) {
        if isThinking { events.append(.sealed(OllamaThought.seal)) }
        isThinking = false
    }

    private mutating func take(call: JSONValue, _ events: inout [ChatEvent]) throws(UpstreamFault) {
        guard let name = call["function"]?["name"]?.string, callCount < Self.largestCallCount else {
            throw .garbled("a call without a name")
        }
        // Newer servers name their calls.
        let id = call["id"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        events.append(
            .toolCallBegan(
                index: callCount, id: id ?? OllamaCallNames.name(firstCall + callCount), name: name))
        let arguments = try Self.arguments(call["function"]?["arguments"])
        events.append(.toolCallArguments(index: callCount, arguments))
        callCount += 1
    }

    private static func arguments(_ value: JSONValue?) throws(UpstreamFault) -> String {
        guard let value = value.present else { return "{}" }
        if value.kind == .object { return String(decoding: value.bytes, as: UTF8.self) }
        guard let text = value.string else { throw .garbled("arguments that are no object") }
        return text.isEmpty ? "{}" : text
    }

    private mutating func end(_ line: JSONValue, _ events: inout [ChatEvent]) throws(UpstreamFault) {
        let input = line["prompt_eval_count"]?.tokenCount
        let output = line["eval_count"]?.tokenCount
        // A prompt that was read before is not counted again, and then not said.
        if input != nil || output != nil {
            events.append(.usage(ChatUsage(input: input ?? 0, output: output ?? 0)))
        }
        let isCut = line["done_reason"]?.stringEquals("length") == true
        events.append(.finished(ChatFinish(isCut ? .length : callCount > 0 ? .toolCalls : .stop)))
        isOver = true
    }
}
