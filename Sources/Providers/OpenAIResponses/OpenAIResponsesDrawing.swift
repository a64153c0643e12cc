import Chat
import JSON

/// What another dialect's model has drawn: in this one a call of a tool that the provider runs.
enum OpenAIResponsesDrawing {
    /// What the ids begin with by which clients know them.
    static let ownID = "ig_hivegate_"

    /// The whole item.
    static func write(
        _ data: String, _ mediaType: String?, at place: OpenAIResponsesPlace,
        _ events: inout OpenAIResponsesEvents
    ) -> [UInt8] {
        events.emit(added: item(place, status: "in_progress", nil, format: nil), at: place)
        for step in ["in_progress", "completed"] {
            events.emit("response.image_generation_call.\(step)") { place.write(&$0) }
        }
        let item = item(
            place, status: "completed", data, format: mediaType.map { String($0.dropFirst("image/".count)) })
        events.emit(done: item, at: place)
        return item
    }

    private static func item(
        _ place: OpenAIResponsesPlace, status: String, _ result: String?, format: String?
    ) -> [UInt8] {
        var json = JSONWriter(capacity: (result?.utf8.count ?? 0) + 128)
        json.object { json in
            json.field("id", place.id)
            json.field("type", "image_generation_call")
            json.field("status", status)
            json.field("result", result)
            json.field("output_format", ifPresent: format)
        }
        return json.bytes
    }

    /// nil where OpenAI has drawn it, or there is nothing to be seen.
    static func read(_ item: JSONValue) -> ChatMedia? {
        guard item["id"]?.string?.hasPrefix(ownID) == true, let data = item["result"]?.string, !data.isEmpty
        else { return nil }
        let format = item["output_format"]?.string
        return ChatMedia(
            .image, .base64(data),
            mediaType: format.map { "image/\($0)" } ?? MediaTypeGuess.type(ofBase64: data))
    }
}
