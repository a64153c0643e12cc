import Base
import JSON

/// Writes a document in another way that means the same.
struct Respelling {
    private var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func of(_ document: JSONDocument) throws -> JSONDocument {
        try JSONDocument(parsing: Array(written(document.root).utf8))
    }

    private mutating func written(_ value: JSONValue) -> String {
        let body: String
        switch value.kind {
        case .object:
            let members = Array(value.members).shuffled(using: &random)
            body = "{" + members.map { member($0) }.joined(separator: ",") + space() + "}"
        case .array: body = "[" + value.elements.map { written($0) }.joined(separator: ",") + space() + "]"
        case .string: body = quoted(value.string ?? "")
        case .number: body = number(value.number ?? "")
        case .bool, .null: body = String(decoding: value.bytes, as: UTF8.self)
        }
        return space() + body + space()
    }

    private mutating func member(_ member: JSONMember) -> String {
        space() + quoted(member.key.string) + space() + ":" + written(member.value)
    }

    private mutating func space() -> String { [" ", "\n", "\t", "\r\n", "", "", ""][Int(random.next() % 7)] }

    private mutating func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            if scalar.value >= 0x20, scalar != "\"", scalar != "\\", random.next() % 4 > 0 {
                quoted.unicodeScalars.append(scalar)
                continue
            }
            for unit in String(scalar).utf16 {
                let hex = String(unit, radix: 16, uppercase: random.next() % 2 == 0)
                quoted += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            }
        }
        return quoted + "\""
    }

    private mutating func number(_ text: String) -> String {
        if text.contains(where: { $0 == "e" || $0 == "E" }) { return text }
        let isWhole = !text.contains(".")
        switch random.next() % 5 {
        case 0: return isWhole ? "\(text).0" : "\(text)00"
        case 1: return "\(text)e0"
        case 2: return "\(text)E+00"
        case 3 where isWhole && text != "0": return "\(text)00e-2"
        default: return text
        }
    }
}
