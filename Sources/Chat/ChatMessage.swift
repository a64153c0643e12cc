/// One turn of a conversation.
package struct ChatMessage: Equatable, Sendable {
    package var role: Role
    package var parts: [ChatPart]
    /// Who speaks, where several have the same role.
    package var name: String?

    package enum Role: String, CaseIterable, Sendable {
        /// A tool's results are messages of the role `tool`, whatever the dialect.
        case system, developer, user, assistant, tool
    }

    package init(_ role: Role, _ parts: [ChatPart], name: String? = nil) {
        self.role = role
        self.parts = parts
        self.name = name
    }

    package init(role: Role, text: String) {
        self.init(role, [.text(text)])
    }

    /// What was said in words, the texts in results of tools included.
    package var text: String {
        parts.lazy.compactMap(\.plainText).joined(separator: "\n")
    }
}
