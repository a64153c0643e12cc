import Chat
import JSON

extension EntryReader {
    mutating func event() throws(Damage) -> ChatEvent {
        guard let tag = EventTag(rawValue: try byte()) else { throw Damage() }
        switch tag {
        case .began: return .began(id: try optionalText(), model: try optionalText())
        case .text: return .text(try text())
        case .citation:
            return .citation(
                ChatCitation(url: try text(), title: try optionalText(), quote: try optionalText()))
        case .refusal: return .refusal(try text())
        case .reasoning: return .reasoning(try text(), isSummary: try flag())
        case .sealed:
            return .sealed(
                ChatSeal(
                    try text(), origin: try word(), id: try optionalText(), replacesText: try flag()))
        case .toolCallBegan:
            return .toolCallBegan(
                index: try integer(), id: try text(), name: try text(), isCustom: try flag())
        case .toolCallArguments: return .toolCallArguments(index: try integer(), try text())
        case .media: return .media(try media())
        case .opaque: return .opaque(try word(), type: try text(), try json())
        case .usage: return .usage(try usage())
        case .finished: return .finished(ChatFinish(try word(), stopSequence: try optionalText()))
        }
    }

    private mutating func media() throws(Damage) -> ChatMedia {
        let kind: ChatMedia.Kind = try word()
        guard let tag = SourceTag(rawValue: try byte()) else { throw Damage() }
        let text = try text()
        let source: ChatMedia.Source =
            switch tag {
            case .url: .url(text)
            case .base64: .base64(text)
            case .file: .file(id: text)
            case .text: .text(text)
            }
        return ChatMedia(
            kind, source, mediaType: try optionalText(), name: try optionalText(), detail: try optionalText())
    }

    private mutating func json() throws(Damage) -> JSONValue {
        let bytes = [UInt8](try take())
        do throws(JSONError) { return try JSONDocument(parsing: bytes).root } catch { throw Damage() }
    }
}
