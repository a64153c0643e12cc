import Chat
import JSON

/// What a model has drawn, in the chat dialect, which has no word of its own for it: the list `images` of a message, or of a
/// piece of one, that OpenRouter made known.
enum OpenAIDrawings {
    static func write(_ image: ChatMedia, _ index: Int, _ json: inout JSONWriter) {
        json.object { json in
            json.field("type", "image_url")
            json.field("index", index)
            json.object("image_url") { $0.field("url", image.url ?? "") }
        }
    }

    static func read(_ list: JSONValue?) -> [ChatMedia] {
        (list?.elements ?? JSONElements.none).compactMap { image in
            guard let url = image["image_url"]?["url"]?.string, !url.isEmpty else { return nil }
            return ChatMedia(.image, url: url)
        }
    }

    /// How the seal of one names it among a message's thoughts.
    static func id(_ index: Int) -> String { "image_\(index)" }
}
