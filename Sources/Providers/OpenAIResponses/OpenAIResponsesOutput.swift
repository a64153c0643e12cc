import Chat
import JSON

/// Reads items of a whole output as the events that they would have been streamed as.
struct OpenAIResponsesOutput {
    private(set) var callCount = 0

    mutating func append(_ item: JSONValue, to events: inout [ChatEvent]) throws(UpstreamFault) {
        guard let type = item["type"]?.string else { throw .garbled("an item of the output without type") }
        switch type {
        case "message":
            guard let content = item["content"] else { return }
            for part in content.elements { Self.append(contentPart: part, to: &events) }
        case "reasoning": Self.append(reasoning: item, to: &events)
        case "function_call", "custom_tool_call":
            events.append(try Self.beginning(ofCall: item, index: callCount))
            events.append(.toolCallArguments(index: callCount, try Self.arguments(ofCall: item)))
            callCount += 1
        default:
            events.append(.opaque(.openAIResponses, type: type, item))
        }
    }

    /// A part of a message, with its sources.
    static func append(contentPart part: JSONValue, to events: inout [ChatEvent]) {
        switch part["type"]?.text {
        case .some("output_text"):
            if let text = part["text"]?.string { events.append(.text(text)) }
            append(citationsOf: part, to: &events)
        case .some("refusal"):
            if let text = part["refusal"]?.string { events.append(.refusal(text)) }
        // Kinds of parts that we do not know say nothing in words.
        default: break
        }
    }

    static func append(citationsOf part: JSONValue, to events: inout [ChatEvent]) {
        guard let annotations = part["annotations"] else { return }
        for annotation in annotations.elements {
            if let citation = ChatCitation(openAIResponses: annotation) { events.append(.citation(citation)) }
        }
    }

    private static func append(reasoning item: JSONValue, to events: inout [ChatEvent]) {
        let (thought, summary) = texts(ofReasoning: item)
        if !thought.isEmpty { events.append(.reasoning(thought)) }
        if !summary.isEmpty { events.append(.reasoning(summary, isSummary: true)) }
        if let seal = seal(ofReasoning: item) { events.append(.sealed(seal)) }
    }

    /// The parts of a thought are paragraphs.
    static let betweenParts = "\n\n"

    static func texts(ofReasoning item: JSONValue) -> (thought: String, summary: String) {
        (
            item["content"]?.elements.compactMap { $0["text"]?.string }.joined(separator: betweenParts) ?? "",
            item["summary"]?.elements.compactMap { $0["text"]?.string }.joined(separator: betweenParts) ?? ""
        )
    }

    /// The provider binds what is encrypted to the item's id, so that both go back together.
    static func seal(ofReasoning item: JSONValue) -> ChatSeal? {
        guard let data = item["encrypted_content"]?.string, !data.isEmpty else { return nil }
        return ChatSeal(data, origin: .openAIResponses, id: item["id"]?.string, replacesText: true)
    }

    static func beginning(ofCall item: JSONValue, index: Int) throws(UpstreamFault) -> ChatEvent {
        guard let name = item["name"]?.string, let id = item["call_id"]?.string ?? item["id"]?.string else {
            throw .garbled("a call of a tool without name or id")
        }
        let isCustom = item["type"]?.stringEquals("custom_tool_call") ?? false
        return .toolCallBegan(index: index, id: id, name: name, isCustom: isCustom)
    }

    static func arguments(ofCall item: JSONValue) throws(UpstreamFault) -> String {
        guard let arguments = (item["arguments"] ?? item["input"])?.string else {
            throw .garbled("a call of a tool without arguments")
        }
        return arguments
    }
}

extension ChatCitation {
    /// nil for what is no place that has an address.
    init?(openAIResponses annotation: JSONValue) {
        guard annotation["type"]?.stringEquals("url_citation") ?? false, let url = annotation["url"]?.string
        else { return nil }
        let title = annotation["title"]?.string
        self.init(url: url, title: title?.isEmpty == true ? nil : title)
    }

    /// As a source of `text`, all of it: the vocabulary does not know more closely.
    func writeOpenAIResponses(of text: String, _ json: inout JSONWriter) {
        json.object { json in
            json.field("type", "url_citation")
            json.field("start_index", 0)
            json.field("end_index", text.unicodeScalars.count)
            json.field("url", url)
            json.field("title", title ?? "")
        }
    }
}
