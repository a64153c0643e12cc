import Cache
import Chat
import JSON

/// What a provider answers, noted while it is passed on, to be said again to others.
// Confined to its loop.
final class AnswerRecording: @unchecked Sendable {
    private let limit: Int
    private var size = 0
    private var bytes: [UInt8] = []
    private var events: [ChatEvent] = []
    private var form: Form?
    /// Whether the answer was whole, and one that may be given to others.
    private(set) var isWhole = false

    private enum Form {
        case forwarded(ChatDialect, isStream: Bool, contentType: String)
        case events
    }

    /// - Parameter limit: bytes; what is larger is not kept.
    init(upTo limit: Int) { self.limit = limit }

    /// Another provider is asked, or the same once more.
    func begin() {
        size = 0
        bytes = []
        events = []
        form = nil
        isWhole = false
    }

    /// A whole answer in the client's own dialect.
    func take(_ body: [UInt8], dialect: ChatDialect, contentType: String) {
        form = .forwarded(dialect, isStream: false, contentType: contentType)
        guard body.count <= limit else { return }
        bytes = body
        isWhole = true
    }

    /// More of a stream in the client's own dialect.
    func take(_ piece: [UInt8], ofStream dialect: ChatDialect, contentType: String) {
        if form == nil { form = .forwarded(dialect, isStream: true, contentType: contentType) }
        size += piece.count
        if size <= limit { bytes.append(contentsOf: piece) } else { bytes = [] }
    }

    /// More of an answer that is translated.
    func take(_ event: ChatEvent) {
        form = .events
        size += event.size
        guard size <= limit else {
            events = []
            return
        }
        events.append(event)
        if case .finished(let finish) = event { isWhole = finish.reason != .contentFilter }
    }

    /// The stream has come to its end.
    func end() { isWhole = size <= limit }

    /// It is not to be given to anybody else.
    func discard() { begin() }

    var content: CachedAnswer.Content? {
        guard isWhole, size <= limit else { return nil }
        return switch form {
        case .forwarded(let dialect, let isStream, let type):
            .forwarded(dialect, isStream: isStream, contentType: type, bytes[...])
        case .events: .events(events)
        case nil: nil
        }
    }
}

extension ChatEvent {
    /// About as many bytes.
    fileprivate var size: Int {
        switch self {
        case .text(let text), .refusal(let text), .reasoning(let text, _), .toolCallArguments(_, let text):
            text.utf8.count + 8
        case .media(let medium):
            switch medium.source {
            case .base64(let text), .text(let text), .url(let text): text.utf8.count + 32
            case .file: 64
            }
        case .opaque(_, _, let value): value.bytes.count + 32
        case .sealed(let seal): seal.data.utf8.count + 32
        default: 64
        }
    }
}
