import Chat
import JSON

/// Reads where the image or document of a content block is.
enum AnthropicSourceReader {
    enum Result {
        case media(ChatMedia)
        /// A document of blocks, or a source that came to be later: only this dialect has those.
        case blocks
    }

    static func read(
        _ block: JSONValue, _ kind: ChatMedia.Kind, _ field: String, _ reader: inout RequestReader
    ) -> Result? {
        if block["source"].present == nil { reader.fault("\(field).source", "is required") }
        guard let source = reader.object(block["source"], "\(field).source") else { return nil }
        guard let type = reader.requiredText(source["type"], "\(field).source.type") else { return nil }
        let mediaType = reader.text(source["media_type"], "\(field).source.media_type")
        var media: ChatMedia?
        switch type {
        case "base64":
            if mediaType == nil { reader.fault("\(field).source.media_type", "is required") }
            let data = reader.requiredText(source["data"], "\(field).source.data")
            media = data.map { ChatMedia(kind, .base64($0), mediaType: mediaType) }
        case "url":
            let url = reader.requiredText(source["url"], "\(field).source.url")
            media = url.map { ChatMedia(kind, .url($0)) }
        case "file":
            let id = reader.requiredText(source["file_id"], "\(field).source.file_id")
            media = id.map { ChatMedia(kind, .file(id: $0)) }
        case "text":
            let text = reader.requiredText(source["data"], "\(field).source.data")
            media = text.map { ChatMedia(kind, .text($0), mediaType: mediaType ?? "text/plain") }
        case "content":
            guard let text = source["content"].flatMap(words) else { return .blocks }
            media = ChatMedia(kind, .text(text), mediaType: "text/plain")
        default: return .blocks
        }
        media?.name = reader.text(block["title"], "\(field).title")
        return media.map(Result.media)
    }

    /// What a document of blocks says, if it is nothing but words.
    private static func words(_ content: JSONValue) -> String? {
        if let text = content.string { return text }
        guard content.kind == .array else { return nil }
        let texts = content.elements.map { $0["text"]?.string }
        return texts.contains(nil) ? nil : texts.compactMap { $0 }.joined(separator: "\n\n")
    }
}
