import Chat

/// Where in a conversation there is an image that is elsewhere.
struct ImagePlace: Sendable {
    let message: Int
    let part: Int
    /// Within the result of a tool.
    let innerPart: Int?
    let url: String

    /// As what cannot be said of a conversation is named: `messages[2].content[0]`.
    var field: String {
        "messages[\(message)].content[\(part)]" + (innerPart.map { ".content[\($0)]" } ?? "")
    }
}

extension ChatRequest {
    /// The images that it has by their addresses, in their order.
    var imagesElsewhere: [ImagePlace] {
        var places: [ImagePlace] = []
        for (message, said) in messages.enumerated() {
            for (part, piece) in said.parts.enumerated() {
                if let url = piece.imageURL {
                    places.append(ImagePlace(message: message, part: part, innerPart: nil, url: url))
                } else if case .toolResult(let result) = piece.content {
                    for (inner, piece) in result.parts.enumerated() {
                        guard let url = piece.imageURL else { continue }
                        places.append(ImagePlace(message: message, part: part, innerPart: inner, url: url))
                    }
                }
            }
        }
        return places
    }

    /// Has the image at `place` from now on.
    mutating func put(_ base64: String, _ signature: ImageSignature, at place: ImagePlace) {
        let part = messages[place.message].parts[place.part].content
        if let inner = place.innerPart, case .toolResult(var result) = part {
            result.parts[inner].content = result.parts[inner].content.holding(base64, signature)
            messages[place.message].parts[place.part].content = .toolResult(result)
        } else {
            messages[place.message].parts[place.part].content = part.holding(base64, signature)
        }
    }
}

extension ChatPart {
    fileprivate var imageURL: String? {
        guard case .media(let media) = content, media.kind == .image, case .url(let url) = media.source,
            !url.hasPrefix("data:")
        else { return nil }
        return url
    }
}

extension ChatPart.Content {
    fileprivate func holding(_ base64: String, _ signature: ImageSignature) -> ChatPart.Content {
        guard case .media(var media) = self else { return self }
        media.source = .base64(base64)
        media.mediaType = signature.mediaType
        return .media(media)
    }
}
