package import Chat

/// Carries a seal of one dialect through a front of another: as a text that says where it belongs.
///
/// Clients hand it back with the conversation, and the provider that made it gets it byte for byte.
package enum ForeignSeal {
    private static let mark = "hivegate.seal.1."

    package static func wrap(_ seal: ChatSeal) -> String {
        "\(mark)\(seal.origin.rawValue).\(seal.replacesText ? "r" : "v").\(seal.data)"
    }

    /// nil where the text is no wrapped seal, and so one of the front's own dialect.
    package static func unwrap(_ text: String) -> ChatSeal? {
        guard text.hasPrefix(mark) else { return nil }
        let pieces = text.dropFirst(mark.count).split(
            separator: ".", maxSplits: 2, omittingEmptySubsequences: false)
        guard pieces.count == 3, let origin = ChatDialect(rawValue: String(pieces[0])),
            pieces[1] == "r" || pieces[1] == "v"
        else { return nil }
        return ChatSeal(String(pieces[2]), origin: origin, replacesText: pieces[1] == "r")
    }
}
