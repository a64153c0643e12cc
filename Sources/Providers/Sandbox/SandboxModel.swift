/// Models that live in the process: for trying everything with no account, and for tests.
package enum SandboxModel: String, CaseIterable, Sendable {
    /// Says what was said to it.
    case echo
    /// Tells a story that depends on the prompt and the seed alone.
    case story
    /// Tells the same story, at the pace of a real model.
    case slow
    /// Fails twice out of three times: before its first word, or in the middle.
    case flaky
    /// Gives vectors.
    case embed
    /// Draws coloured squares.
    case image

    package enum Purpose: Sendable { case chat, embeddings, images }

    package var purpose: Purpose {
        switch self {
        case .echo, .story, .slow, .flaky: .chat
        case .embed: .embeddings
        case .image: .images
        }
    }

    package static let provider = "sandbox"
    package static let prefix = "\(provider)/"

    package var id: String { Self.prefix + rawValue }

    package init?(id: String) {
        guard id.hasPrefix(Self.prefix) else { return nil }
        self.init(rawValue: String(id.dropFirst(Self.prefix.count)))
    }
}
