/// Cuts a script at the semicolons between statements: those outside quotes, dollar quotes and comments.
/// A function body in `BEGIN ATOMIC` form is not recognised; migrations use dollar quotes.
struct ScriptSplitter {
    struct Statement: Equatable {
        var text: String
        /// The line of the script it starts on, from 1.
        var line: Int
    }

    private let bytes: [UInt8]
    private var position = 0
    private var line = 1

    private init(_ text: String) { bytes = Array(text.utf8) }

    /// The statements, without those that are empty.
    static func statements(of text: String) -> [Statement] {
        var splitter = ScriptSplitter(text)
        var statements: [Statement] = []
        while let statement = splitter.next() { statements.append(statement) }
        return statements
    }

    private mutating func next() -> Statement? {
        while position < bytes.count {
            let start = position
            var isEmpty = true
            while position < bytes.count, bytes[position] != UInt8(ascii: ";") {
                if !skipComment() {
                    if bytes[position] > 0x20 { isEmpty = false }
                    skipToken()
                }
            }
            let part = bytes[start..<min(position, bytes.count)]
            let statement = Statement(text: String(decoding: part, as: UTF8.self), line: line)
            line += part.count { $0 == UInt8(ascii: "\n") }
            position += 1
            if !isEmpty { return statement }
        }
        return nil
    }

    private func starts(_ text: StaticString) -> Bool {
        let pattern = UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        return bytes[position...].starts(with: pattern)
    }

    private mutating func skipComment() -> Bool {
        if starts("--") {
            while position < bytes.count, bytes[position] != UInt8(ascii: "\n") { position += 1 }
            return true
        }
        guard starts("/*") else { return false }
        var depth = 0
        while position < bytes.count {
            if starts("/*") {
                depth += 1
                position += 2
            } else if starts("*/") {
                depth -= 1
                position += 2
                if depth == 0 { break }
            } else {
                position += 1
            }
        }
        return true
    }

    private mutating func skipToken() {
        switch bytes[position] {
        case UInt8(ascii: "'"):
            let before = position > 0 ? bytes[position - 1] : 0
            skipQuoted(
                UInt8(ascii: "'"), hasEscapes: before == UInt8(ascii: "E") || before == UInt8(ascii: "e"))
        case UInt8(ascii: "\""): skipQuoted(UInt8(ascii: "\""), hasEscapes: false)
        case UInt8(ascii: "$"): skipDollarQuoted()
        default: position += 1
        }
    }

    /// A doubled quote ends one part and begins the next, which comes to the same.
    private mutating func skipQuoted(_ quote: UInt8, hasEscapes: Bool) {
        position += 1
        while position < bytes.count, bytes[position] != quote {
            position += hasEscapes && bytes[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        position += 1
    }

    private mutating func skipDollarQuoted() {
        var end = position + 1
        while end < bytes.count, isTagByte(bytes[end]) { end += 1 }
        let isInsideName = position > 0 && isTagByte(bytes[position - 1])
        guard end < bytes.count, bytes[end] == UInt8(ascii: "$"), !isInsideName else {
            position += 1
            return
        }
        let tag = bytes[position...end]
        position = end + 1
        while position < bytes.count, !bytes[position...].starts(with: tag) { position += 1 }
        position += tag.count
    }

    private func isTagByte(_ byte: UInt8) -> Bool {
        byte >= 0x80 || byte == UInt8(ascii: "_") || (0x30...0x39).contains(byte)
            || (0x41...0x5A).contains(byte)
            || (0x61...0x7A).contains(byte)
    }
}
