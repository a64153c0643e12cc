import Chat

/// A conversation as Anthropic wants it: instructions apart, and then turns in which no role follows on itself.
struct AnthropicTurns {
    private(set) var system: [Piece] = []
    private(set) var turns: [Turn] = []

    struct Turn {
        var role: Role
        var pieces: [Piece]
    }

    /// `system` within a conversation is an instruction that came later.
    enum Role: String { case system, user, assistant }

    /// A part, and where the request has it.
    struct Piece {
        var part: ChatPart
        var message: Int
        var index: Int

        var field: String { "messages[\(message)].content[\(index)]" }
    }

    /// `origin` and `opaque`: of whose making thoughts and opaque values must be to be sent. Where later instructions
    /// cannot stay where they came, they are put behind the others.
    init(
        _ messages: [ChatMessage], origin: ChatDialect, opaque: ChatDialect,
        keepsLaterInstructions: Bool = true
    ) {
        var hasBegun = false
        for (number, message) in messages.enumerated() {
            let role = Self.role(of: message)
            if message.role == .user || message.role == .tool { hasBegun = true }
            let pieces = message.parts.enumerated()
                .filter { Self.isSaid($0.element, origin: origin, opaque: opaque) }
                .map { Piece(part: $0.element, message: number, index: $0.offset) }
            if pieces.isEmpty { continue }
            if role == .system, !hasBegun || !keepsLaterInstructions {
                system += pieces
            } else if turns.last?.role == role {
                turns[turns.count - 1].pieces += pieces
            } else {
                turns.append(Turn(role: role, pieces: pieces))
            }
        }
    }

    private static func role(of message: ChatMessage) -> Role {
        switch message.role {
        case .system, .developer: .system
        case .user, .tool: .user
        case .assistant: .assistant
        }
    }

    /// Anthropic refuses texts without a visible character; what others have sealed it cannot read.
    static func isSaid(_ part: ChatPart, origin: ChatDialect, opaque: ChatDialect) -> Bool {
        switch part.content {
        case .text(let text): text.text.isVisible
        case .refusal(let text): text.isVisible
        case .reasoning(let reasoning): reasoning.seal?.origin == origin
        case .opaque(let dialect, _, _): dialect == opaque
        case .media, .toolCall, .toolResult: true
        }
    }
}

extension String {
    /// Whether there is more in it than white space.
    fileprivate var isVisible: Bool { contains { !$0.isWhitespace } }
}
