import Chat
import JSON

/// Reads the stream of a response.
///
/// Providers leave out what they find superfluous, so that what a `.done` says is taken where no delta has said it.
struct OpenAIResponsesStreamDecoder: ChatStreamDecoder {
    private var reader = JSONEventReader()
    /// What has been said of each item of the output.
    private var items: [Int: Item] = [:]
    private var callCount = 0
    private var hasBegun = false
    private var hasFinished = false

    private struct Item {
        /// Whether its end has come.
        var isDone = false
        /// Of each part of a message, the thought or the summary: whether some of it has been said.
        var spoken: Set<Piece> = []
        /// Parts of a message whose end has come.
        var doneParts: Set<Int> = []
        /// Sources that have come before the end of their part.
        var citations: [Int: [ChatCitation]] = [:]
        /// The index of the call that it is.
        var call: Int?
        var hasArguments = false
    }

    private enum Piece: Hashable {
        case content(Int)
        case thought(Int)
        case summary(Int)
    }

    mutating func take(_ bytes: [UInt8], into events: inout [ChatEvent]) throws(UpstreamFault) {
        // Taken out, because what it calls changes the rest.
        var reader = JSONEventReader()
        swap(&reader, &self.reader)
        defer { swap(&reader, &self.reader) }
        try reader.take(bytes) { name, document throws(UpstreamFault) in
            if !hasFinished { try take(document.root, name: name, into: &events) }
        }
    }

    mutating func end(into events: inout [ChatEvent]) throws(UpstreamFault) {
        guard hasFinished else { throw .garbled("the stream broke off before the response was completed") }
    }

    private mutating func take(_ event: JSONValue, name: [UInt8], into events: inout [ChatEvent])
        throws(UpstreamFault)
    {
        switch event["type"]?.string ?? String(decoding: name, as: UTF8.self) {
        case "response.created", "response.queued", "response.in_progress":
            begin(event["response"], &events)
        case "response.output_item.added": try add(event, &events)
        case "response.output_item.done": try endItem(event, &events)
        case "response.output_text.delta":
            if let text = say(.content(index(event, "content_index")), event, event["delta"]) {
                events.append(.text(text))
            }
        case "response.refusal.delta":
            if let text = say(.content(index(event, "content_index")), event, event["delta"]) {
                events.append(.refusal(text))
            }
        case "response.content_part.done": endPart(event, &events)
        case "response.output_text.annotation.added": note(event)
        case "response.reasoning_text.delta":
            think(.thought(index(event, "content_index")), event, event["delta"], &events)
        case "response.reasoning_text.done":
            think(.thought(index(event, "content_index")), event, event["text"], isWhole: true, &events)
        case "response.reasoning_summary_text.delta":
            think(.summary(index(event, "summary_index")), event, event["delta"], &events)
        case "response.reasoning_summary_text.done":
            think(.summary(index(event, "summary_index")), event, event["text"], isWhole: true, &events)
        case "response.function_call_arguments.delta", "response.custom_tool_call_input.delta":
            try argue(event, &events)
        case "response.completed": try finish(event, "completed", &events)
        case "response.incomplete": try finish(event, "incomplete", &events)
        case "response.failed": try finish(event, "failed", &events)
        case "response.cancelled": try finish(event, "cancelled", &events)
        case "error": throw OpenAIFault.read(event["error"].present ?? event, status: nil)
        default:
            // An error that comes as other dialects have it, in an event of no type.
            if event["type"] == nil, let error = event["error"].present {
                throw OpenAIFault.read(error, status: nil)
            }
        }
    }

    private func index(_ event: JSONValue, _ name: StaticString) -> Int { event[name]?.int ?? 0 }

    // MARK: The response

    private mutating func begin(_ response: JSONValue?, _ events: inout [ChatEvent]) {
        guard !hasBegun, let response else { return }
        hasBegun = true
        events.append(.began(id: response["id"]?.string, model: response["model"]?.string))
    }

    private mutating func finish(_ event: JSONValue, _ status: String, _ events: inout [ChatEvent])
        throws(UpstreamFault)
    {
        guard let response = event["response"], response.kind == .object else {
            throw .garbled("\(status) without a response")
        }
        begin(response, &events)
        var ending = OpenAIResponsesEnding(response, statusOfEvent: status)
        if let fault = ending.fault { throw fault }
        try append(unsaidOf: response, &events)
        ending.hasToolCalls = callCount > 0
        guard let finish = ending.finish else {
            throw .garbled("\(status), and yet \(response["status"]?.string ?? "not finished")")
        }
        hasFinished = true
        events.append(.finished(finish))
        if let usage = ending.usage { events.append(.usage(usage)) }
    }

    /// Where nothing was streamed, all is said at the end.
    private mutating func append(unsaidOf response: JSONValue, _ events: inout [ChatEvent])
        throws(UpstreamFault)
    {
        guard items.isEmpty, let output = response["output"] else { return }
        var whole = OpenAIResponsesOutput()
        for item in output.elements { try whole.append(item, to: &events) }
        callCount = whole.callCount
    }

    // MARK: Items

    private mutating func add(_ event: JSONValue, _ events: inout [ChatEvent]) throws(UpstreamFault) {
        let index = index(event, "output_index")
        var item = items[index] ?? Item()
        if let value = event["item"], item.call == nil, Self.isCall(value) {
            events.append(try OpenAIResponsesOutput.beginning(ofCall: value, index: callCount))
            item.call = callCount
            callCount += 1
        }
        items[index] = item
    }

    private static func isCall(_ item: JSONValue) -> Bool {
        switch item["type"]?.text {
        case .some("function_call"), .some("custom_tool_call"): true
        default: false
        }
    }

    private mutating func argue(_ event: JSONValue, _ events: inout [ChatEvent]) throws(UpstreamFault) {
        let index = index(event, "output_index")
        guard let call = items[index]?.call, let delta = event["delta"]?.string else {
            throw .garbled("arguments of a call that has not begun")
        }
        items[index]?.hasArguments = true
        events.append(.toolCallArguments(index: call, delta))
    }

    private mutating func endItem(_ event: JSONValue, _ events: inout [ChatEvent]) throws(UpstreamFault) {
        let index = index(event, "output_index")
        guard let value = event["item"], let type = value["type"]?.string else {
            throw .garbled("the end of an item that is none")
        }
        if Self.isCall(value) { try add(event, &events) }
        var item = items[index] ?? Item()
        guard !item.isDone else { return }
        item.isDone = true
        switch type {
        case "message":
            items[index] = item
            guard let content = value["content"] else { return }
            for (part, value) in content.elements.enumerated() { endPart(value, part, of: index, &events) }
            return
        case "reasoning": Self.endReasoning(value, item, &events)
        case "function_call", "custom_tool_call":
            if let call = item.call, !item.hasArguments {
                let arguments = try OpenAIResponsesOutput.arguments(ofCall: value)
                events.append(.toolCallArguments(index: call, arguments))
            }
        default: events.append(.opaque(.openAIResponses, type: type, value))
        }
        items[index] = item
    }

    private static func endReasoning(_ value: JSONValue, _ item: Item, _ events: inout [ChatEvent]) {
        let (thought, summary) = OpenAIResponsesOutput.texts(ofReasoning: value)
        let isThoughtSaid = item.spoken.contains { if case .thought = $0 { true } else { false } }
        let isSummarySaid = item.spoken.contains { if case .summary = $0 { true } else { false } }
        if !isThoughtSaid, !thought.isEmpty { events.append(.reasoning(thought)) }
        if !isSummarySaid, !summary.isEmpty { events.append(.reasoning(summary, isSummary: true)) }
        if let seal = OpenAIResponsesOutput.seal(ofReasoning: value) { events.append(.sealed(seal)) }
    }

    // MARK: Texts

    /// Notes that `piece` has been begun.
    private mutating func say(_ piece: Piece, _ event: JSONValue, _ text: JSONValue?) -> String? {
        guard let text = text?.string, !text.isEmpty else { return nil }
        items[index(event, "output_index"), default: Item()].spoken.insert(piece)
        return text
    }

    /// `isWhole` where `text` says once more what the deltas have said.
    private mutating func think(
        _ piece: Piece, _ event: JSONValue, _ text: JSONValue?, isWhole: Bool = false,
        _ events: inout [ChatEvent]
    ) {
        let isNew = items[index(event, "output_index")]?.spoken.contains(piece) != true
        guard isNew || !isWhole, let text = say(piece, event, text) else { return }
        let (place, isSummary) =
            switch piece {
            case .content(let index), .thought(let index): (index, false)
            case .summary(let index): (index, true)
            }
        let begins = isNew && place > 0
        events.append(
            .reasoning(begins ? OpenAIResponsesOutput.betweenParts + text : text, isSummary: isSummary))
    }

    private mutating func note(_ event: JSONValue) {
        guard let citation = event["annotation"].present.flatMap(ChatCitation.init(openAIResponses:)) else {
            return
        }
        items[index(event, "output_index"), default: Item()]
            .citations[index(event, "content_index"), default: []].append(citation)
    }

    private mutating func endPart(_ event: JSONValue, _ events: inout [ChatEvent]) {
        guard let part = event["part"] else { return }
        endPart(part, index(event, "content_index"), of: index(event, "output_index"), &events)
    }

    /// The part of a message has ended: its sources are known now, and its text if it has not been said.
    private mutating func endPart(
        _ part: JSONValue, _ partIndex: Int, of index: Int, _ events: inout [ChatEvent]
    ) {
        var item = items[index] ?? Item()
        guard item.doneParts.insert(partIndex).inserted else { return }
        let isSaid = item.spoken.contains(.content(partIndex))
        let noted = item.citations[partIndex] ?? []
        items[index] = item
        if !isSaid { return OpenAIResponsesOutput.append(contentPart: part, to: &events) }
        let count = events.count
        OpenAIResponsesOutput.append(citationsOf: part, to: &events)
        if events.count == count { events.append(contentsOf: noted.map(ChatEvent.citation)) }
    }
}
