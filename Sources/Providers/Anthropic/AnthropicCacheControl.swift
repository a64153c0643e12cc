import Chat
import JSON

/// The mark up to which a prompt is kept.
enum AnthropicCacheControl {
    static func write(_ marker: ChatCacheMarker?, to json: inout JSONWriter) {
        guard let marker else { return }
        json.object("cache_control") { json in
            json.field("type", "ephemeral")
            json.field("ttl", ifPresent: marker.lifetime)
        }
    }
}
