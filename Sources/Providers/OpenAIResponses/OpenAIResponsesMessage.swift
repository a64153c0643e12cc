import Chat
import JSON

/// Words of a model on their way to a client: one item, whose parts are texts with their sources, and refusals.
struct OpenAIResponsesMessage: Sendable {
    let place: OpenAIResponsesPlace
    /// The parts that have ended, as they are written.
    private var ended: [[UInt8]] = []
    private var part: Part?

    private struct Part {
        let isRefusal: Bool
        var text: ChatText

        func write(_ json: inout JSONWriter) {
            if isRefusal { json.writeRefusal(text.text) } else { text.writeOpenAIResponses(&json) }
        }
    }

    init(_ place: OpenAIResponsesPlace, _ events: inout OpenAIResponsesEvents) {
        self.place = place
        events.emit(added: item(status: "in_progress", parts: []), at: place)
    }

    mutating func say(_ text: String, isRefusal: Bool, _ events: inout OpenAIResponsesEvents) {
        // Sources follow what they are the sources of, so that words behind them are a part of their own.
        if let part, part.isRefusal != isRefusal || !part.text.citations.isEmpty { endPart(&events) }
        open(isRefusal: isRefusal, &events)
        part?.text.text += text
        if text.isEmpty { return }
        events.emit(isRefusal ? "response.refusal.delta" : "response.output_text.delta") { json in
            writePlace(&json)
            json.field("delta", text)
            if !isRefusal { json.array("logprobs") { _ in } }
        }
    }

    mutating func cite(_ citation: ChatCitation, _ events: inout OpenAIResponsesEvents) {
        if part?.isRefusal == true { endPart(&events) }
        open(isRefusal: false, &events)
        part?.text.citations.append(citation)
        let text = part?.text ?? ChatText("")
        events.emit("response.output_text.annotation.added") { json in
            writePlace(&json)
            json.field("annotation_index", text.citations.count - 1)
            json.key("annotation")
            citation.writeOpenAIResponses(of: text.text, &json)
        }
    }

    /// The whole item.
    func end(isWhole: Bool, _ events: inout OpenAIResponsesEvents) -> [UInt8] {
        var copy = self
        copy.endPart(&events)
        let item = item(status: isWhole ? "completed" : "incomplete", parts: copy.ended)
        events.emit(done: item, at: place)
        return item
    }

    private mutating func open(isRefusal: Bool, _ events: inout OpenAIResponsesEvents) {
        guard part == nil else { return }
        let new = Part(isRefusal: isRefusal, text: ChatText(""))
        part = new
        events.emit("response.content_part.added") { json in
            writePlace(&json)
            json.key("part")
            new.write(&json)
        }
    }

    private mutating func endPart(_ events: inout OpenAIResponsesEvents) {
        guard let part else { return }
        events.emit(part.isRefusal ? "response.refusal.done" : "response.output_text.done") { json in
            writePlace(&json)
            if part.isRefusal {
                json.field("refusal", part.text.text)
            } else {
                json.field("text", part.text.text)
                json.array("logprobs") { _ in }
            }
        }
        events.emit("response.content_part.done") { json in
            writePlace(&json)
            json.key("part")
            part.write(&json)
        }
        var json = JSONWriter()
        part.write(&json)
        ended.append(json.bytes)
        self.part = nil
    }

    private func writePlace(_ json: inout JSONWriter) {
        place.write(&json)
        json.field("content_index", ended.count)
    }

    private func item(status: String, parts: [[UInt8]]) -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.field("id", place.id)
            json.field("type", "message")
            json.field("status", status)
            json.field("role", "assistant")
            json.array("content") { json in
                for part in parts { json.raw(part) }
            }
        }
        return json.bytes
    }
}
