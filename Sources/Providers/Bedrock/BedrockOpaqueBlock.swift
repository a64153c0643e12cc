import JSON

/// A block of a kind that only Bedrock has, put together again from its pieces as it would stand in a whole answer.
struct BedrockOpaqueBlock {
    let type: String
    private let start: JSONValue?
    /// Of a tool that the provider runs itself.
    private var input = ""
    /// What such a tool answers.
    private var content: [JSONValue] = []
    /// The members that pieces have given it.
    private var changes: [JSONMember] = []

    init(type: String, _ start: JSONValue?) {
        self.type = type
        self.start = start
    }

    mutating func take(_ piece: JSONValue) {
        if piece.kind == .array {
            content += piece.elements
        } else if type == "toolUse", let text = piece["input"]?.string {
            input += text
        } else {
            changes += piece.members
        }
    }

    var value: JSONValue {
        get throws(UpstreamFault) {
            var members: [(key: String, value: JSONValue)] = []
            for member in (start.map { Array($0.members) } ?? []) + changes {
                let key = member.key.string
                members.removeAll { $0.key == key }
                let isSaidBelow = key == "input" && type == "toolUse" || key == "content" && !content.isEmpty
                if !isSaidBelow { members.append((key, member.value)) }
            }
            var json = JSONWriter()
            json.openObject()
            json.key(dynamic: type)
            json.openObject()
            for member in members {
                json.key(dynamic: member.key)
                json.value(member.value)
            }
            if type == "toolUse" {
                let text = input.isEmpty ? "{}" : input
                json.field("input", try JSONDocument(upstream: Array(text.utf8)).root)
            }
            if !content.isEmpty { json.array("content", content) }
            json.closeObject()
            json.closeObject()
            return try JSONDocument(upstream: json.bytes).root
        }
    }
}
