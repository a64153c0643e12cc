import Chat
import JSON

/// A thought on its way to a client: one item, which holds the thought itself, a summary of it, or both.
struct OpenAIResponsesReasoning: Sendable {
    let place: OpenAIResponsesPlace
    private var thought: String?
    private var summary: String?

    init(_ place: OpenAIResponsesPlace, _ events: inout OpenAIResponsesEvents) {
        self.place = place
        events.emit(added: item(place.id, seal: nil, status: "in_progress"), at: place)
    }

    /// A summary ends the thought that it is of.
    func canTake(isSummary: Bool) -> Bool { isSummary || summary == nil }

    mutating func think(_ text: String, isSummary: Bool, _ events: inout OpenAIResponsesEvents) {
        if isSummary { summarize(text, &events) } else { think(text, &events) }
    }

    private mutating func think(_ text: String, _ events: inout OpenAIResponsesEvents) {
        if thought == nil {
            events.emit("response.content_part.added") { json in
                place.write(&json)
                json.field("content_index", 0)
                json.key("part")
                json.writeText("", type: "reasoning_text")
            }
        }
        thought = (thought ?? "") + text
        events.emit("response.reasoning_text.delta") { json in
            place.write(&json)
            json.field("content_index", 0)
            json.field("delta", text)
        }
    }

    private mutating func summarize(_ text: String, _ events: inout OpenAIResponsesEvents) {
        if summary == nil {
            endThought(&events)
            events.emit("response.reasoning_summary_part.added") { json in
                place.write(&json)
                json.field("summary_index", 0)
                json.key("part")
                json.writeText("", type: "summary_text")
            }
        }
        summary = (summary ?? "") + text
        events.emit("response.reasoning_summary_text.delta") { json in
            place.write(&json)
            json.field("summary_index", 0)
            json.field("delta", text)
        }
    }

    private func endThought(_ events: inout OpenAIResponsesEvents) {
        guard let thought else { return }
        events.emit("response.reasoning_text.done") { json in
            place.write(&json)
            json.field("content_index", 0)
            json.field("text", thought)
        }
        events.emit("response.content_part.done") { json in
            place.write(&json)
            json.field("content_index", 0)
            json.key("part")
            json.writeText(thought, type: "reasoning_text")
        }
    }

    private func endSummary(_ events: inout OpenAIResponsesEvents) {
        guard let summary else { return endThought(&events) }
        events.emit("response.reasoning_summary_text.done") { json in
            place.write(&json)
            json.field("summary_index", 0)
            json.field("text", summary)
        }
        events.emit("response.reasoning_summary_part.done") { json in
            place.write(&json)
            json.field("summary_index", 0)
            json.key("part")
            json.writeText(summary, type: "summary_text")
        }
    }

    /// The whole item.
    ///
    /// In a stream it keeps the id by which clients have come to know it, even where its seal knows another.
    func end(seal: ChatSeal?, _ events: inout OpenAIResponsesEvents) -> [UInt8] {
        endSummary(&events)
        var id = place.id
        if events.isSilent, let seal, seal.origin == .openAIResponses { id = seal.id ?? id }
        let item = item(id, seal: seal, status: "completed")
        events.emit(done: item, at: place)
        return item
    }

    private func item(_ id: String, seal: ChatSeal?, status: String) -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.field("id", id)
            json.field("type", "reasoning")
            json.field("status", status)
            json.array("summary") { json in
                if let summary { json.writeText(summary, type: "summary_text") }
            }
            if let thought {
                json.array("content") { $0.writeText(thought, type: "reasoning_text") }
            }
            if let seal {
                let isOwn = seal.origin == .openAIResponses
                json.field("encrypted_content", isOwn ? seal.data : ForeignSeal.wrap(seal))
            }
        }
        return json.bytes
    }
}
