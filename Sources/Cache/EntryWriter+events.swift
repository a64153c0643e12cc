import Chat
import JSON

/// What an event begins with. A number is never given to another.
enum EventTag: UInt8 {
    case began = 1
    case text, citation, refusal, reasoning, sealed, toolCallBegan, toolCallArguments, media, opaque, usage
    case finished
}

/// What a medium's source begins with.
enum SourceTag: UInt8 {
    case url = 1
    case base64, file, text
}

extension EntryWriter {
    mutating func write(_ event: ChatEvent) {
        switch event {
        case .began(let id, let model):
            write(.began)
            write(id)
            write(model)
        case .text(let text):
            write(.text)
            write(text)
        case .citation(let citation):
            write(.citation)
            write(citation.url)
            write(citation.title)
            write(citation.quote)
        case .refusal(let text):
            write(.refusal)
            write(text)
        case .reasoning(let text, let isSummary):
            write(.reasoning)
            write(text)
            write(isSummary)
        case .sealed(let seal): write(seal)
        case .toolCallBegan(let index, let id, let name, let isCustom):
            write(.toolCallBegan)
            write(index)
            write(id)
            write(name)
            write(isCustom)
        case .toolCallArguments(let index, let text):
            write(.toolCallArguments)
            write(index)
            write(text)
        case .media(let media): write(media)
        case .opaque(let dialect, let type, let value):
            write(.opaque)
            write(word: dialect)
            write(type)
            write(count: value.bytes.count)
            write(raw: value.bytes)
        case .usage(let usage):
            write(.usage)
            write(usage)
        case .finished(let finish):
            write(.finished)
            write(word: finish.reason)
            write(finish.stopSequence)
        }
    }

    private mutating func write(_ tag: EventTag) { write(byte: tag.rawValue) }

    private mutating func write(_ seal: ChatSeal) {
        write(.sealed)
        write(seal.data)
        write(word: seal.origin)
        write(seal.id)
        write(seal.replacesText)
    }

    private mutating func write(_ media: ChatMedia) {
        write(.media)
        write(word: media.kind)
        let (tag, text): (SourceTag, String) =
            switch media.source {
            case .url(let url): (.url, url)
            case .base64(let data): (.base64, data)
            case .file(let id): (.file, id)
            case .text(let text): (.text, text)
            }
        write(byte: tag.rawValue)
        write(text)
        write(media.mediaType)
        write(media.name)
        write(media.detail)
    }
}
