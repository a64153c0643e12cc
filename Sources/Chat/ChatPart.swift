package import JSON

/// A piece of a message.
package struct ChatPart: Equatable, Sendable {
    package var content: Content
    package var cache: ChatCacheMarker?

    package enum Content: Equatable, Sendable {
        case text(ChatText)
        /// The model declines, in words.
        case refusal(String)
        case media(ChatMedia)
        case reasoning(ChatReasoning)
        case toolCall(ChatToolCall)
        case toolResult(ChatToolResult)
        /// What only one dialect has, as it writes it.
        case opaque(ChatDialect, type: String, JSONValue)
    }

    package init(_ content: Content, cache: ChatCacheMarker? = nil) {
        self.content = content
        self.cache = cache
    }

    package static func text(_ text: String) -> ChatPart { ChatPart(.text(ChatText(text))) }

    /// Its words, if it has some.
    package var plainText: String? {
        switch content {
        case .text(let text): text.text
        case .refusal(let text): text
        case .toolResult(let result):
            result.parts.lazy.compactMap(\.plainText).joined(separator: "\n")
        case .media, .reasoning, .toolCall, .opaque: nil
        }
    }
}

/// Up to here the prompt is worth keeping for the next request.
package struct ChatCacheMarker: Equatable, Sendable {
    /// `5m`, `1h`; nil for what is usual.
    package var lifetime: String?

    package init(lifetime: String? = nil) { self.lifetime = lifetime }
}

package struct ChatText: Equatable, Sendable {
    package var text: String
    package var citations: [ChatCitation]

    package init(_ text: String, citations: [ChatCitation] = []) {
        self.text = text
        self.citations = citations
    }
}

/// Where something that was said is written.
package struct ChatCitation: Equatable, Sendable {
    package var url: String
    package var title: String?
    /// The words of the source.
    package var quote: String?

    package init(url: String, title: String? = nil, quote: String? = nil) {
        self.url = url
        self.title = title
        self.quote = quote
    }
}

/// An image, a sound, a document.
package struct ChatMedia: Equatable, Sendable {
    package var kind: Kind
    package var source: Source
    /// `image/png`; nil where the client does not say.
    package var mediaType: String?
    /// A file's name.
    package var name: String?
    /// How closely an image is to be looked at: `low`, `high`, `auto`.
    package var detail: String?

    package enum Kind: String, CaseIterable, Sendable {
        case image, audio, file, video
    }

    package enum Source: Equatable, Sendable {
        /// Elsewhere; not fetched by us unless its client wishes it.
        case url(String)
        case base64(String)
        /// Kept by the provider under this name.
        case file(id: String)
        /// A document that is plain text.
        case text(String)
    }

    package init(
        _ kind: Kind, _ source: Source, mediaType: String? = nil, name: String? = nil, detail: String? = nil
    ) {
        self.kind = kind
        self.source = source
        self.mediaType = mediaType
        self.name = name
        self.detail = detail
    }
}

/// What a model thought.
package struct ChatReasoning: Equatable, Sendable {
    package var text: String
    /// Whether the text is a summary, and not the thoughts themselves.
    package var isSummary: Bool
    package var seal: ChatSeal?

    package init(_ text: String, isSummary: Bool = false, seal: ChatSeal? = nil) {
        self.text = text
        self.isSummary = isSummary
        self.seal = seal
    }
}

/// A provider's own, unreadable form of what was thought: it wants it back, byte for byte, and only it can read it.
package struct ChatSeal: Equatable, Sendable {
    package var data: String
    package var origin: ChatDialect
    /// The name of the thought, where the dialect gives it one.
    package var id: String?
    /// Whether the seal stands for the thoughts (encrypted, redacted) instead of vouching for text beside it.
    package var replacesText: Bool

    package init(_ data: String, origin: ChatDialect, id: String? = nil, replacesText: Bool = false) {
        self.data = data
        self.origin = origin
        self.id = id
        self.replacesText = replacesText
    }
}

/// A model calls a tool.
package struct ChatToolCall: Equatable, Sendable {
    package var id: String
    package var name: String
    /// As the model wrote them: the text of a JSON object, which may be broken; any text for a custom tool.
    package var arguments: String
    package var isCustom: Bool

    package init(id: String, name: String, arguments: String, isCustom: Bool = false) {
        self.id = id
        self.name = name
        self.arguments = arguments
        self.isCustom = isCustom
    }
}

/// What a tool answered.
package struct ChatToolResult: Equatable, Sendable {
    package var callID: String
    package var parts: [ChatPart]
    package var isError: Bool
    package var isCustom: Bool

    package init(callID: String, parts: [ChatPart], isError: Bool = false, isCustom: Bool = false) {
        self.callID = callID
        self.parts = parts
        self.isError = isError
        self.isCustom = isCustom
    }
}
