import Base
import Chat
import JSON

/// A conversation that may be answered with what was said to another that means the same.
///
/// What its users and assistants say is compared by meaning, and everything else must be the same: it is in the frame.
package struct SemanticQuestion: Equatable, Sendable {
    /// Of all that must be the same: the organization, the models, every parameter, what the system says, and who speaks
    /// in which order.
    package let frame: CacheKey
    /// What was said, each turn behind the one who speaks.
    package let text: String

    /// What is longer is not compared.
    package static let longestText = 32 << 10

    /// nil where the words alone do not make the question: tools, structured answers, images, several answers, whatever
    /// is not known, and conversations with more than `turns` turns of the user.
    ///
    /// - Parameter model: what makes the vectors; those of two models say nothing of each other.
    package init?(_ subject: CacheSubject, turns: Int, embeddedBy model: String) {
        guard subject.kind == .chat, subject.shaping.isEmpty, !subject.request.streamMatters,
            let said = Self.turns(of: subject)
        else { return nil }
        let questions = said.count { $0.role == "user" }
        guard questions >= 1, questions <= turns, said.last?.role == "user" else { return nil }
        let text = said.map { "\($0.role): \($0.text)" }.joined(separator: "\n\n")
        guard text.utf8.count <= Self.longestText else { return nil }
        var silent = subject
        do {
            let edits = said.map { JSONEdit.set($0.path, Self.silence) }
            silent.request = CanonicalRequest(
                try JSONDocument(parsing: subject.request.document.patched(edits)), streamMatters: false)
        } catch {
            return nil
        }
        var written: [UInt8] = []
        written.append(Self.form)
        written.append(model)
        written.append(0)
        silent.append(to: &written)
        frame = CacheKey(bytes: Digest.sha256(written))
        self.text = text
    }

    private static let form: StaticString = "hivegate frame 1\n"
    private static let silence = Array("\"\"".utf8)

    // MARK: What is said

    private struct Turn {
        /// Of what is said.
        var path: [JSONPathStep]
        var role: String
        var text: String
    }

    /// All that users and assistants say; nil where there is anything that is not words.
    private static func turns(of subject: CacheSubject) -> [Turn]? {
        let document = subject.request.document
        for member in document.root.members where !member.value.isNull {
            if isMoreThanWords(member.key.string, member.value) { return nil }
        }
        let place = subject.dialect == .openAIResponses ? "input" : "messages"
        if let text = document.root.member(subject.dialect == .hivegate ? "prompt" : place)?.string {
            let key = subject.dialect == .hivegate ? "prompt" : place
            return [Turn(path: [.key(key)], role: "user", text: text)]
        }
        guard let messages = document.root.member(place), messages.kind == .array else { return nil }
        var turns: [Turn] = []
        for (index, message) in messages.elements.enumerated() {
            switch message["role"]?.string {
            case "system", "developer": continue
            case let role? where role == "user" || role == "assistant":
                guard let text = message["content"].flatMap(words), !text.isEmpty,
                    !isMember("tool_calls", of: message), !isMember("function_call", of: message)
                else { return nil }
                turns.append(
                    Turn(path: [.key(place), .index(index), .key("content")], role: role, text: text))
            default: return nil
            }
        }
        return turns
    }

    private static func isMember(_ name: StaticString, of value: JSONValue) -> Bool {
        value[name].map { !$0.isNull } ?? false
    }

    /// Whether a field asks for more than an answer in words, or for tools.
    private static func isMoreThanWords(_ name: String, _ value: JSONValue) -> Bool {
        switch name {
        case "tools": value.kind != .array || value.count > 0
        case "tool_choice": !value.stringEquals("none") && !value.stringEquals("auto")
        case "response_format": !(value["type"]?.stringEquals("text") ?? false)
        case "text": value["format"].map { !($0["type"]?.stringEquals("text") ?? false) } ?? false
        case "schema", "output_config", "output_format": true
        default: false
        }
    }

    /// A text, or a list of texts and nothing else.
    private static func words(_ content: JSONValue) -> String? {
        if let text = content.string { return text }
        guard content.kind == .array else { return nil }
        var texts: [String] = []
        for part in content.elements {
            guard part.kind == .object else { return nil }
            var text: String?
            for member in part.members {
                switch member.key {
                case "type":
                    guard ["text", "input_text", "output_text"].contains(member.value.string) else {
                        return nil
                    }
                case "text": text = member.value.string
                // What a provider keeps of a text changes nothing of it.
                case "cache_control": continue
                default: return nil
                }
            }
            guard let text else { return nil }
            texts.append(text)
        }
        return texts.joined(separator: "\n")
    }
}
