import Chat
import JSON

/// A content block of a stream that has begun and not ended.
enum AnthropicOpenBlock {
    /// Its citations follow the text that they are of, wherever in the block they come.
    case text([ChatCitation])
    case thinking(signature: String?)
    /// `input` is what it began with, which counts as long as no piece has come.
    case call(index: Int, input: JSONValue?)
    case opaque(AnthropicOpaqueBlock)
    /// Was said as a whole when it began.
    case said
}

/// A block of a kind that only this dialect has, put together again from its pieces.
struct AnthropicOpaqueBlock {
    let type: String
    private let start: JSONValue
    private var input = ""
    /// The members that pieces have given it.
    private var changes: [(key: String, value: JSONValue)] = []

    init(type: String, _ start: JSONValue) {
        self.type = type
        self.start = start
    }

    mutating func take(_ delta: JSONValue) {
        if let piece = delta["partial_json"]?.string {
            input += piece
            return
        }
        for member in delta.members where !(member.key == "type") {
            let key = member.key.string
            changes.removeAll { $0.key == key }
            changes.append((key, member.value))
        }
    }

    /// The block as it would stand in a whole reply.
    var value: JSONValue {
        get throws(UpstreamFault) {
            if input.isEmpty && changes.isEmpty { return start }
            var json = JSONWriter()
            json.openObject()
            for member in start.members {
                let key = member.key.string
                if changes.contains(where: { $0.key == key }) || (key == "input" && !input.isEmpty) {
                    continue
                }
                json.key(dynamic: key)
                json.value(member.value)
            }
            for change in changes {
                json.key(dynamic: change.key)
                json.value(change.value)
            }
            if !input.isEmpty {
                json.field("input", try JSONDocument(upstream: Array(input.utf8)).root)
            }
            json.closeObject()
            return try JSONDocument(upstream: json.bytes).root
        }
    }
}
