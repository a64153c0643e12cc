package import Chat

/// Carries a seal of one dialect through a front of another: as a text that says where it belongs.
///
/// Clients hand it back with the conversation, and the provider that made it gets it byte for byte.
package enum ForeignSeal {
    private static let mark = "hivegate.seal.1."

    /// The mark, the origin, whether it replaces text, how long the name is, and the name and the data behind a colon.
    package static func wrap(_ seal: ChatSeal) -> String {
        let id = seal.id ?? ""
        return
            "\(mark)\(seal.origin.rawValue).\(seal.replacesText ? "r" : "v").\(id.utf8.count):\(id)\(seal.data)"
    }

    /// nil where the text is no wrapped seal, and so one of the front's own dialect.
    package static func unwrap(_ text: String) -> ChatSeal? {
        guard text.hasPrefix(mark), let colon = text.firstIndex(of: ":") else { return nil }
        let head = text[..<colon].dropFirst(mark.count)
            .split(separator: ".", omittingEmptySubsequences: false)
        guard head.count == 3, let origin = ChatDialect(rawValue: String(head[0])),
            head[1] == "r" || head[1] == "v", let idCount = Int(head[2]), idCount >= 0
        else { return nil }
        let rest = text[text.index(after: colon)...].utf8
        guard let end = rest.index(rest.startIndex, offsetBy: idCount, limitedBy: rest.endIndex),
            let id = String(rest[..<end]), let data = String(rest[end...])
        else { return nil }
        return ChatSeal(data, origin: origin, id: id.isEmpty ? nil : id, replacesText: head[1] == "r")
    }
}
