import Base
import Chat
import JSON

/// Reads an answer of ConverseStream. Beside what matters, events carry padding, which is not looked at.
struct BedrockStreamDecoder: ChatStreamDecoder {
    private let sealOrigin: ChatDialect
    private var parser = EventStreamParser()
    private var open: [Int: Block] = [:]
    private var callCount = 0
    private var usage: ChatUsage?
    /// The last event but one: why the reply has ended.
    private var stop: JSONValue?
    /// Whether all has come, the usage last.
    private var isWhole = false

    /// What a block is, which its first piece says where it has no beginning of its own.
    private enum Block {
        case text([ChatCitation])
        case reasoning(signature: String, redacted: [UInt8])
        case call(index: Int, hasArguments: Bool)
        case opaque(BedrockOpaqueBlock)
    }

    init(sealOrigin: ChatDialect) { self.sealOrigin = sealOrigin }

    mutating func take(_ bytes: [UInt8], into events: inout [ChatEvent]) throws(UpstreamFault) {
        // Taken out, because what it reads changes the rest of the decoder.
        var parser = EventStreamParser()
        swap(&parser, &self.parser)
        defer { swap(&parser, &self.parser) }
        try parser.take(bytes) { (frame) throws(UpstreamFault) in try take(frame, into: &events) }
    }

    mutating func end(into events: inout [ChatEvent]) throws(UpstreamFault) {
        if !isWhole { throw .garbled("the stream broke off before its end", usage: usage) }
        if parser.endsWithinFrame { throw .garbled("the stream broke off within a frame", usage: usage) }
    }

    private mutating func take(_ frame: EventStreamFrame, into events: inout [ChatEvent])
        throws(UpstreamFault)
    {
        guard frame.headers[":message-type"] == "event" else { throw BedrockFault.read(frame, usage: usage) }
        if isWhole { return }
        switch frame.headers[":event-type"] {
        case "messageStart": events.append(.began(id: nil, model: nil))
        case "contentBlockStart":
            let event = try event(frame)
            try begin(try index(event), event["start"], into: &events)
        case "contentBlockDelta":
            let event = try event(frame)
            try change(try index(event), try ReplyField.object(event["delta"], "delta"), into: &events)
        case "contentBlockStop": try close(try index(try event(frame)), into: &events)
        case "messageStop":
            stop = try event(frame)
            for index in open.keys.sorted() { try close(index, into: &events) }
        case "metadata":
            usage = try BedrockUsage.read(try event(frame)["usage"])
            if let usage { events.append(.usage(usage)) }
            guard let stop else { throw .garbled("the stream ended without a reason", usage: usage) }
            events.append(.finished(try BedrockStopReason.finish(stop, usage: usage)))
            isWhole = true
        default: break
        }
    }

    private func event(_ frame: EventStreamFrame) throws(UpstreamFault) -> JSONValue {
        try ReplyField.object(JSONDocument(upstream: frame.payload).root, "an event")
    }

    private func index(_ event: JSONValue) throws(UpstreamFault) -> Int {
        try ReplyField.count(event["contentBlockIndex"], "contentBlockIndex")
    }

    // MARK: Blocks

    private mutating func begin(
        _ index: Int, _ start: JSONValue?, into events: inout [ChatEvent]
    ) throws(UpstreamFault) {
        guard let start = start.present else { return }
        var members = start.members
        guard let member = members.next() else { return }
        guard member.key == "toolUse", member.value["type"]?.stringEquals("server_tool_use") != true else {
            open[index] = .opaque(BedrockOpaqueBlock(type: member.key.string, member.value))
            return
        }
        let id = try ReplyField.text(member.value["toolUseId"], "toolUse.toolUseId")
        let name = try ReplyField.text(member.value["name"], "toolUse.name")
        events.append(.toolCallBegan(index: callCount, id: id, name: name))
        open[index] = .call(index: callCount, hasArguments: false)
        callCount += 1
    }

    private mutating func change(
        _ index: Int, _ delta: JSONValue, into events: inout [ChatEvent]
    ) throws(UpstreamFault) {
        var members = delta.members
        guard let member = members.next() else { return }
        let value = member.value
        if case .opaque(var block) = open[index] {
            block.take(value)
            open[index] = .opaque(block)
            return
        }
        switch member.key {
        case "text":
            let text = try ReplyField.text(value, "delta.text")
            if open[index] == nil { open[index] = .text([]) }
            if !text.isEmpty { events.append(.text(text)) }
        case "citation":
            guard let citation = BedrockCitations.citation(value) else { return }
            if case .text(let citations) = open[index] {
                open[index] = .text(citations + [citation])
            } else {
                open[index] = .text([citation])
            }
        case "toolUse":
            guard case .call(let call, _) = open[index] else { throw .garbled("a piece of no call") }
            let piece = try ReplyField.text(value["input"], "delta.toolUse.input")
            if piece.isEmpty { return }
            events.append(.toolCallArguments(index: call, piece))
            open[index] = .call(index: call, hasArguments: true)
        case "reasoningContent": try think(index, value, into: &events)
        default:
            // A block of a kind that came later has no beginning either.
            var block = BedrockOpaqueBlock(type: member.key.string, nil)
            block.take(value)
            open[index] = .opaque(block)
        }
    }

    private mutating func think(
        _ index: Int, _ value: JSONValue, into events: inout [ChatEvent]
    ) throws(UpstreamFault) {
        var (signature, redacted) = ("", [UInt8]())
        if case .reasoning(let before, let bytes) = open[index] { (signature, redacted) = (before, bytes) }
        if let text = value["text"].present {
            let piece = try ReplyField.text(text, "reasoningContent.text")
            if !piece.isEmpty { events.append(.reasoning(piece)) }
        }
        if let piece = value["signature"].present {
            signature += try ReplyField.text(piece, "reasoningContent.signature")
        }
        if let piece = value["redactedContent"].present {
            redacted += try BedrockSeal.bytes(
                ofBase64: try ReplyField.text(piece, "reasoningContent.redactedContent"))
        }
        open[index] = .reasoning(signature: signature, redacted: redacted)
    }

    private mutating func close(_ index: Int, into events: inout [ChatEvent]) throws(UpstreamFault) {
        switch open.removeValue(forKey: index) {
        case .text(let citations): events.append(contentsOf: citations.map(ChatEvent.citation))
        case .reasoning(let signature, let redacted):
            if !redacted.isEmpty {
                events.append(.sealed(BedrockSeal.redacted(redacted, origin: sealOrigin)))
            } else if let seal = BedrockSeal.signature(signature, origin: sealOrigin) {
                events.append(.sealed(seal))
            }
        case .call(let call, let hasArguments):
            if !hasArguments { events.append(.toolCallArguments(index: call, "{}")) }
        case .opaque(let block):
            events.append(.opaque(.bedrock, type: block.type, try block.value))
        case nil: break
        }
    }
}
