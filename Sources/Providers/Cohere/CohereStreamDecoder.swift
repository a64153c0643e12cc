import Chat
import JSON

/// Reads a stream of Cohere's.
struct CohereStreamDecoder: ChatStreamDecoder {
    private var reader = JSONEventReader()
    /// The calls so far, by the index that the stream gives them.
    private var calls: [Int: Call] = [:]
    /// The thought that is being thought.
    private var thought: CohereThought?
    private var isOver = false

    private struct Call {
        var index: Int
        var hasArguments: Bool
    }

    /// More calls than this in one answer are none.
    private static let largestCallCount = 1024

    mutating func take(_ bytes: [UInt8], into events: inout [ChatEvent]) throws(UpstreamFault) {
        // The reader gives its events to a closure, which must not hold what it is a part of.
        var reader = JSONEventReader()
        swap(&reader, &self.reader)
        defer { swap(&reader, &self.reader) }
        try reader.take(bytes) { (name, document) throws(UpstreamFault) in
            try take(name, document.root, &events)
        }
    }

    mutating func end(into events: inout [ChatEvent]) throws(UpstreamFault) {
        if !isOver { throw .garbled("the stream broke off before its end") }
    }

    private mutating func take(_ name: [UInt8], _ event: JSONValue, _ events: inout [ChatEvent])
        throws(UpstreamFault)
    {
        guard !isOver else { return }
        guard let type = event["type"]?.string ?? (name.isEmpty ? nil : String(decoding: name, as: UTF8.self))
        else {
            // What a request that failed is answered with, which can come in the middle.
            if let message = event["message"]?.string { throw UpstreamFault(.failed, message) }
            return
        }
        if type != "tool-plan-delta", thought == .plan { endThought(&events) }
        switch type {
        case "message-start": events.append(.began(id: event["id"]?.string, model: nil))
        case "content-start", "content-delta":
            try takeContent(event["delta"]?["message"]?["content"], &events)
        case "content-end": endThought(&events)
        case "tool-plan-delta":
            think(.plan, event["delta"]?["message"]?["tool_plan"]?.string ?? "", &events)
        case "tool-call-start": try beginCall(event, &events)
        case "tool-call-delta": try continueCall(event, &events)
        case "tool-call-end": try endCall(event, &events)
        case "message-end": try end(event, &events)
        case "error":
            throw UpstreamFault(.failed, event["message"]?.string ?? "The model failed in the middle.")
        // `debug`, `citation-start`, `citation-end`, and what is not known yet.
        default: break
        }
    }

    // MARK: Content and thoughts

    private mutating func takeContent(_ content: JSONValue?, _ events: inout [ChatEvent])
        throws(UpstreamFault)
    {
        guard let content = content.present else { return }
        if let thought = content["thinking"]?.string {
            think(.thinking, thought, &events)
        } else if let text = content["text"].present {
            guard let text = text.string else { throw .garbled("text that is none") }
            endThought(&events)
            if !text.isEmpty { events.append(.text(text)) }
        }
    }

    private mutating func think(_ place: CohereThought, _ text: String, _ events: inout [ChatEvent]) {
        if text.isEmpty { return }
        if thought != place { endThought(&events) }
        thought = place
        events.append(.reasoning(text))
    }

    private mutating func endThought(_ events: inout [ChatEvent]) {
        guard let thought else { return }
        events.append(.sealed(thought.seal))
        self.thought = nil
    }

    // MARK: Calls

    private mutating func beginCall(_ event: JSONValue, _ events: inout [ChatEvent]) throws(UpstreamFault) {
        endThought(&events)
        let call = try CohereReply.ToolCall(event["delta"]?["message"]?["tool_calls"])
        let place = event["index"]?.int ?? calls.count
        guard let id = call.id, let name = call.name, calls[place] == nil,
            calls.count < Self.largestCallCount
        else {
            throw .garbled("a call without an id or a name, or begun twice")
        }
        let index = calls.count
        calls[place] = Call(index: index, hasArguments: !call.arguments.isEmpty)
        events.append(.toolCallBegan(index: index, id: id, name: name))
        if !call.arguments.isEmpty { events.append(.toolCallArguments(index: index, call.arguments)) }
    }

    private mutating func continueCall(_ event: JSONValue, _ events: inout [ChatEvent])
        throws(UpstreamFault)
    {
        let call = try CohereReply.ToolCall(event["delta"]?["message"]?["tool_calls"])
        let place = try place(of: event)
        if call.arguments.isEmpty { return }
        calls[place]?.hasArguments = true
        if let index = calls[place]?.index {
            events.append(.toolCallArguments(index: index, call.arguments))
        }
    }

    private mutating func endCall(_ event: JSONValue, _ events: inout [ChatEvent]) throws(UpstreamFault) {
        guard let call = calls[try place(of: event)], !call.hasArguments else { return }
        events.append(.toolCallArguments(index: call.index, "{}"))
    }

    /// The index that the stream gives the call `event` is about.
    private func place(of event: JSONValue) throws(UpstreamFault) -> Int {
        let place = event["index"]?.int ?? calls.count - 1
        guard calls[place] != nil else { throw .garbled("more of a call that has not begun") }
        return place
    }

    // MARK: The end

    private mutating func end(_ event: JSONValue, _ events: inout [ChatEvent]) throws(UpstreamFault) {
        endThought(&events)
        let delta = event["delta"]
        let usage = CohereReply.usage(delta?["usage"])
        let finish = try CohereReply.finish(
            delta?["finish_reason"], error: delta?["error"].present?.string, hasCalls: !calls.isEmpty,
            usage: usage)
        if let usage { events.append(.usage(usage)) }
        events.append(.finished(finish))
        isOver = true
    }
}
