import Chat
import JSON

/// Reads messages of a model, whole (`message`) or in pieces (`delta`), as OpenAI's chat dialect and its relatives
/// write them.
struct OpenAIChatReplyReader: Sendable {
    /// By index: how many calls have begun.
    private var callCount = 0
    private var callIndices: [Int: Int] = [:]
    /// A list of details and a plain text tell the same thoughts: the words are read from whichever came first, the
    /// seals from the list.
    private var readsDetails: Bool?

    /// Appends what the message, or the piece of one, says.
    mutating func read(_ message: JSONValue, into events: inout [ChatEvent]) {
        var (thought, details, content) = (JSONValue?.none, JSONValue?.none, JSONValue?.none)
        var (refusal, calls, annotations) = (JSONValue?.none, JSONValue?.none, JSONValue?.none)
        var images: JSONValue?
        for member in message.members where !member.value.isNull {
            switch member.key {
            case "reasoning_content", "reasoning": thought = thought ?? member.value
            case "reasoning_details": details = member.value
            case "content": content = member.value
            case "refusal": refusal = member.value
            case "tool_calls": calls = member.value
            case "annotations": annotations = member.value
            case "images": images = member.value
            default: break
            }
        }
        let seals = readThoughts(thought, details, calls, into: &events)
        if let content { read(content: content, into: &events) }
        if let text = refusal?.string, !text.isEmpty { events.append(.refusal(text)) }
        for annotation in annotations?.elements ?? JSONElements.none {
            if let citation = Self.citation(annotation) { events.append(.citation(citation)) }
        }
        if let images { events += OpenAIDrawings.read(images).map { .media($0) } }
        for (position, call) in (calls?.elements ?? JSONElements.none).enumerated() {
            for seal in seals where seal.callID == call["id"]?.string { events.append(.sealed(seal.seal)) }
            read(call: call, at: position, into: &events)
        }
    }

    // MARK: Thoughts

    /// Appends thoughts, and gives back the seals that belong to calls.
    private mutating func readThoughts(
        _ thought: JSONValue?, _ details: JSONValue?, _ calls: JSONValue?, into events: inout [ChatEvent]
    ) -> [(seal: ChatSeal, callID: String)] {
        guard let details, details.kind == .array else {
            if readsDetails != true, let text = thought?.string, !text.isEmpty {
                readsDetails = false
                events.append(.reasoning(text))
            }
            return []
        }
        let list = OpenAIReasoningDetails.read(details)
        if readsDetails == nil, !list.isEmpty { readsDetails = true }
        var ofCalls: [(seal: ChatSeal, callID: String)] = []
        let callIDs = (calls?.elements ?? JSONElements.none).compactMap { $0["id"]?.string }
        for detail in list {
            if let id = detail.id, var seal = detail.reasoning.seal, callIDs.contains(id) {
                seal.id = nil
                ofCalls.append((seal, id))
                continue
            }
            if readsDetails == true, !detail.reasoning.text.isEmpty {
                events.append(.reasoning(detail.reasoning.text, isSummary: detail.reasoning.isSummary))
            }
            if let seal = detail.reasoning.seal { events.append(.sealed(seal)) }
        }
        return ofCalls
    }

    // MARK: Content

    private func read(content: JSONValue, into events: inout [ChatEvent]) {
        if let text = content.string {
            if !text.isEmpty { events.append(.text(text)) }
            return
        }
        for part in content.elements {
            switch part["type"]?.text {
            case .some("text"): if let text = part["text"]?.string { events.append(.text(text)) }
            case .some("refusal"): if let text = part["refusal"]?.string { events.append(.refusal(text)) }
            // Mistral's thoughts are parts that hold parts.
            case .some("thinking"):
                let text = (part["thinking"]?.elements ?? JSONElements.none)
                    .compactMap { $0["text"]?.string }.joined()
                if !text.isEmpty { events.append(.reasoning(text)) }
            default: break
            }
        }
    }

    private static func citation(_ annotation: JSONValue) -> ChatCitation? {
        guard let citation = annotation["url_citation"], let url = citation["url"]?.string else { return nil }
        return ChatCitation(url: url, title: citation["title"]?.string, quote: citation["content"]?.string)
    }

    // MARK: Tool calls

    private mutating func read(call: JSONValue, at position: Int, into events: inout [ChatEvent]) {
        let isCustom = call["type"]?.stringEquals("custom") ?? false
        let function = isCustom ? call["custom"] : call["function"]
        let id = call["id"]?.string
        // A piece without an index continues the last call unless it names another.
        let given = call["index"]?.int ?? (id == nil ? callCount - 1 : callCount + position)
        let index: Int
        if let known = callIndices[given] {
            index = known
        } else {
            index = callCount
            callIndices[given] = index
            callCount += 1
            events.append(
                .toolCallBegan(
                    index: index, id: id ?? "call_\(index)", name: function?["name"]?.string ?? "",
                    isCustom: isCustom))
        }
        let arguments = isCustom ? function?["input"] : function?["arguments"]
        if let piece = arguments?.string {
            if !piece.isEmpty { events.append(.toolCallArguments(index: index, piece)) }
        } else if let arguments, arguments.kind == .object {
            // Some write the object itself.
            events.append(.toolCallArguments(index: index, String(decoding: arguments.bytes, as: UTF8.self)))
        }
    }

    static func finish(_ reason: JSONValue?, hasCalls: Bool) -> ChatFinish? {
        switch reason?.text {
        case nil: nil
        case .some("stop"), .some("eos"), .some("stop_sequence"):
            // Some providers say "stop" where calls are to be made.
            ChatFinish(hasCalls ? .toolCalls : .stop)
        case .some("length"), .some("model_length"), .some("max_tokens"): ChatFinish(.length)
        case .some("tool_calls"), .some("function_call"): ChatFinish(.toolCalls)
        case .some("content_filter"), .some("safety"): ChatFinish(.contentFilter)
        default: ChatFinish(hasCalls ? .toolCalls : .stop)
        }
    }

    var hasCalls: Bool { callCount > 0 }
}

extension JSONElements {
    /// Of what is not there.
    static var none: JSONElements { empty.root.elements }
    private static let empty: JSONDocument = {
        do { return try JSONDocument(parsing: Array("[]".utf8)) } catch { preconditionFailure("\(error)") }
    }()
}
