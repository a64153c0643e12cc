package import Chat
import JSON

/// Reads a stream of the Messages API.
package struct AnthropicStreamDecoder: ChatStreamDecoder {
    private var reader = JSONEventReader()
    private var open: [Int: AnthropicOpenBlock] = [:]
    private var callCount = 0
    private var usage = AnthropicUsage()
    private var finish: ChatFinish?
    /// Whether `message_stop` has come. What comes behind it is not looked at.
    private var isWhole = false

    package init() {}

    package mutating func take(_ bytes: [UInt8], into events: inout [ChatEvent]) throws(UpstreamFault) {
        // Taken out, because what it reads changes the rest of the decoder.
        var reader = JSONEventReader()
        swap(&reader, &self.reader)
        defer { swap(&reader, &self.reader) }
        try reader.take(bytes) { (_, document) throws(UpstreamFault) in
            try take(document.root, into: &events)
        }
    }

    package mutating func end(into events: inout [ChatEvent]) throws(UpstreamFault) {
        if !isWhole { throw .garbled("the stream broke off before message_stop", usage: usage.chat) }
    }

    /// Events are told apart by their `type`, which is also in their data. Those that nobody knows are skipped.
    private mutating func take(_ event: JSONValue, into events: inout [ChatEvent]) throws(UpstreamFault) {
        if isWhole { return }
        switch event["type"]?.string {
        case "message_start":
            let message = try ReplyField.object(event["message"], "message")
            events.append(.began(id: message["id"]?.string, model: message["model"]?.string))
            try take(usage: message["usage"], into: &events)
        case "content_block_start":
            let index = try ReplyField.count(event["index"], "index")
            try begin(index, try ReplyField.object(event["content_block"], "content_block"), into: &events)
        case "content_block_delta":
            let index = try ReplyField.count(event["index"], "index")
            try change(index, try ReplyField.object(event["delta"], "delta"), into: &events)
        case "content_block_stop":
            try close(try ReplyField.count(event["index"], "index"), into: &events)
        case "message_delta":
            if let delta = event["delta"], let finish = try AnthropicStopReason.finish(delta) {
                self.finish = finish
            }
            try take(usage: event["usage"], into: &events)
        case "message_stop":
            try stop(into: &events)
        case "error":
            throw AnthropicFault.read(try ReplyField.object(event["error"], "error"), usage: usage.chat)
        default:
            break
        }
    }

    private mutating func take(usage value: JSONValue?, into events: inout [ChatEvent]) throws(UpstreamFault)
    {
        guard value.present != nil else { return }
        try usage.take(value)
        if let usage = usage.chat { events.append(.usage(usage)) }
    }

    private mutating func stop(into events: inout [ChatEvent]) throws(UpstreamFault) {
        guard let finish else {
            throw .garbled("the stream ended without a stop_reason", usage: usage.chat)
        }
        // A block that was cut by the limit of tokens may be left open.
        for index in open.keys.sorted() { try close(index, into: &events) }
        isWhole = true
        events.append(.finished(finish))
    }

    // MARK: Blocks

    private mutating func begin(
        _ index: Int, _ block: JSONValue, into events: inout [ChatEvent]
    ) throws(UpstreamFault) {
        let type = try ReplyField.text(block["type"], "content_block.type")
        switch type {
        case "text":
            if let text = block["text"]?.string, !text.isEmpty { events.append(.text(text)) }
            open[index] = .text(AnthropicCitations.read(block["citations"]))
        case "thinking":
            if let text = block["thinking"]?.string, !text.isEmpty { events.append(.reasoning(text)) }
            open[index] = .thinking(signature: block["signature"]?.string)
        case "redacted_thinking":
            let data = try ReplyField.text(block["data"], "content_block.data")
            events.append(.sealed(AnthropicReply.redacted(data)))
            open[index] = .said
        case "tool_use":
            let id = try ReplyField.text(block["id"], "content_block.id")
            let name = try ReplyField.text(block["name"], "content_block.name")
            events.append(.toolCallBegan(index: callCount, id: id, name: name))
            open[index] = .call(index: callCount, input: block["input"].present)
            callCount += 1
        default:
            open[index] = .opaque(AnthropicOpaqueBlock(type: type, block))
        }
    }

    private mutating func change(
        _ index: Int, _ delta: JSONValue, into events: inout [ChatEvent]
    ) throws(UpstreamFault) {
        guard let block = open[index] else { throw .garbled("a piece of a block that is not open") }
        switch (delta["type"]?.string, block) {
        case (_, .opaque(var block)):
            block.take(delta)
            open[index] = .opaque(block)
        case ("text_delta", _):
            let text = try ReplyField.text(delta["text"], "delta.text")
            if !text.isEmpty { events.append(.text(text)) }
        case ("thinking_delta", _):
            let text = try ReplyField.text(delta["thinking"], "delta.thinking")
            if !text.isEmpty { events.append(.reasoning(text)) }
        case ("signature_delta", .thinking):
            open[index] = .thinking(signature: try ReplyField.text(delta["signature"], "delta.signature"))
        case ("citations_delta", .text(let citations)):
            guard let citation = delta["citation"].flatMap(AnthropicCitations.citation) else { return }
            open[index] = .text(citations + [citation])
        case ("input_json_delta", .call(let call, _)):
            let piece = try ReplyField.text(delta["partial_json"], "delta.partial_json")
            if piece.isEmpty { return }
            events.append(.toolCallArguments(index: call, piece))
            open[index] = .call(index: call, input: nil)
        default:
            break
        }
    }

    private mutating func close(_ index: Int, into events: inout [ChatEvent]) throws(UpstreamFault) {
        switch open.removeValue(forKey: index) {
        case .text(let citations): events.append(contentsOf: citations.map(ChatEvent.citation))
        case .thinking(let signature):
            if let seal = AnthropicReply.seal(signature) { events.append(.sealed(seal)) }
        case .call(let call, let input):
            // What came in one piece with the beginning, or `{}` for a call without arguments.
            guard let input else { return }
            events.append(.toolCallArguments(index: call, String(decoding: input.bytes, as: UTF8.self)))
        case .opaque(let block): events.append(.opaque(.anthropic, type: block.type, try block.value))
        case .said, nil: break
        }
    }
}
