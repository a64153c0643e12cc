import Base
import Chat
import JSON

/// Where an image or a document is, as Anthropic says it.
struct AnthropicSource {
    let kind: Kind
    let isImage: Bool

    enum Kind {
        case base64(String, mediaType: String)
        case url(String)
        case file(id: String)
        case text(String)
    }

    init(_ media: ChatMedia, _ field: String) throws(UpstreamRequest.Unsayable) {
        switch media.kind {
        case .audio, .video:
            throw UpstreamRequest.Unsayable(field, "\(media.kind.rawValue) cannot be sent to this model")
        case .image: isImage = true
        // Some dialects send images as files.
        case .file: isImage = media.mediaType?.hasPrefix("image/") == true
        }
        switch media.source {
        case .url(let url): kind = .url(url)
        case .file(let id): kind = .file(id: id)
        case .text(let text):
            if isImage { throw UpstreamRequest.Unsayable(field, "an image cannot be plain text") }
            kind = .text(text)
        case .base64(let data):
            guard let type = media.mediaType ?? MediaTypeGuess.type(ofBase64: data) else {
                throw UpstreamRequest.Unsayable(field, "needs a media type for this model")
            }
            kind = isImage ? .base64(data, mediaType: type) : try Self.document(data, type, field)
        }
    }

    /// Of documents only PDF may be in base64; what is text is sent as such.
    private static func document(
        _ data: String, _ type: String, _ field: String
    ) throws(UpstreamRequest.Unsayable) -> Kind {
        if type == "application/pdf" { return .base64(data, mediaType: type) }
        guard type.hasPrefix("text/") || type == "application/json" || type == "application/xml" else {
            throw UpstreamRequest.Unsayable(field, "documents of type \(type) cannot be sent to this model")
        }
        guard let bytes = Base64.decode(data), let text = String(validating: bytes, as: UTF8.self) else {
            throw UpstreamRequest.Unsayable(field, "must be UTF-8 in base64, as its type says")
        }
        return .text(text)
    }

    func write(to json: inout JSONWriter) {
        switch kind {
        case .base64(let data, let mediaType):
            json.field("type", "base64")
            json.field("media_type", mediaType)
            json.field("data", data)
        case .url(let url):
            json.field("type", "url")
            json.field("url", url)
        case .file(let id):
            json.field("type", "file")
            json.field("file_id", id)
        case .text(let text):
            json.field("type", "text")
            json.field("media_type", "text/plain")
            json.field("data", text)
        }
    }
}
