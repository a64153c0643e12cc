/// One turn of a conversation, as far as text goes.
package struct ChatMessage: Equatable, Sendable {
    package var role: Role
    package var text: String

    package enum Role: String, CaseIterable, Sendable {
        case system, developer, user, assistant, tool
    }

    package init(role: Role, text: String) {
        self.role = role
        self.text = text
    }
}
