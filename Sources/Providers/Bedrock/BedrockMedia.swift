import Base
import Chat
import JSON

/// An image, a document, a sound or a film as Bedrock takes it: as bytes of a format that it knows, or kept in S3.
struct BedrockMedia {
    /// `image`, `document`, `audio`, `video`.
    let block: String
    private let format: String
    private let source: Source

    private enum Source {
        case base64(String)
        case stored(uri: String)
    }

    private static let formats: [String: (block: String, format: String)] = [
        "image/png": ("image", "png"), "image/jpeg": ("image", "jpeg"), "image/jpg": ("image", "jpeg"),
        "image/gif": ("image", "gif"), "image/webp": ("image", "webp"),
        "application/pdf": ("document", "pdf"), "text/csv": ("document", "csv"),
        "text/html": ("document", "html"), "text/markdown": ("document", "md"),
        "text/plain": ("document", "txt"), "application/json": ("document", "txt"),
        "application/xml": ("document", "txt"), "application/msword": ("document", "doc"),
        "application/vnd.ms-excel": ("document", "xls"),
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ("document", "docx"),
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ("document", "xlsx"),
        "audio/mpeg": ("audio", "mp3"), "audio/mp3": ("audio", "mp3"), "audio/wav": ("audio", "wav"),
        "audio/x-wav": ("audio", "wav"), "audio/aac": ("audio", "aac"), "audio/flac": ("audio", "flac"),
        "audio/ogg": ("audio", "ogg"), "audio/opus": ("audio", "opus"), "audio/mp4": ("audio", "m4a"),
        "audio/webm": ("audio", "webm"),
        "video/mp4": ("video", "mp4"), "video/quicktime": ("video", "mov"), "video/webm": ("video", "webm"),
        "video/x-matroska": ("video", "mkv"), "video/mpeg": ("video", "mpeg"),
        "video/x-flv": ("video", "flv"),
        "video/x-ms-wmv": ("video", "wmv"), "video/3gpp": ("video", "three_gp"),
    ]

    init(_ media: ChatMedia, _ field: String) throws(UpstreamRequest.Unsayable) {
        var type = media.mediaType
        switch media.source {
        case .base64(let data):
            source = .base64(data)
            type = type ?? MediaTypeGuess.type(ofBase64: data)
        case .text(let text):
            source = .base64(Base64.encode(text.utf8))
            type = type ?? "text/plain"
        case .url(let url):
            guard url.hasPrefix("s3://") else {
                throw UpstreamRequest.Unsayable(
                    field, "must be sent as bytes to this model, not as an address")
            }
            source = .stored(uri: url)
        case .file:
            throw UpstreamRequest.Unsayable(field, "must be sent as bytes to this model, not as a kept file")
        }
        guard let type else { throw UpstreamRequest.Unsayable(field, "needs a media type for this model") }
        let isText = media.kind == .file && type.hasPrefix("text/")
        guard let known = Self.formats[type] ?? (isText ? ("document", "txt") : nil) else {
            throw UpstreamRequest.Unsayable(field, "media of type \(type) cannot be sent to this model")
        }
        (block, format) = known
    }

    /// `name` is that of a document; others have none.
    func write(name: String, to json: inout JSONWriter) {
        json.object { json in
            json.key(dynamic: block)
            json.object { json in
                json.field("format", format)
                if block == "document" { json.field("name", name) }
                json.object("source") { json in
                    switch source {
                    case .base64(let data): json.field("bytes", data)
                    case .stored(let uri): json.object("s3Location") { $0.field("uri", uri) }
                    }
                }
            }
        }
    }
}
