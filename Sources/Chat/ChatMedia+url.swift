extension ChatMedia {
    /// What a URL leads to; the data themselves where it is a `data:` URL in base64.
    package init(_ kind: Kind, url: String) {
        self.init(kind, .url(url))
        guard url.hasPrefix("data:"), let comma = url.firstIndex(of: ",") else { return }
        let head = url[url.index(url.startIndex, offsetBy: 5)..<comma]
        guard head.hasSuffix(";base64") else { return }
        let type = head.dropLast(";base64".count)
        source = .base64(String(url[url.index(after: comma)...]))
        mediaType = type.isEmpty ? nil : String(type)
    }

    /// The URL of data that are here, or elsewhere; nil where they are neither.
    package var url: String? {
        switch source {
        case .url(let url): url
        case .base64(let data): "data:\(mediaType ?? "application/octet-stream");base64,\(data)"
        case .file, .text: nil
        }
    }
}
