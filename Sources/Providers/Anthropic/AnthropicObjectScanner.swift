/// Sees when the text of a JSON object is complete, as it comes in pieces.
struct AnthropicObjectScanner {
    private var depth = 0
    private var isInString = false
    private var isEscaped = false
    /// Whether the outermost brace has closed.
    private(set) var isComplete = false

    mutating func take(_ piece: String) {
        for byte in piece.utf8 { take(byte) }
    }

    private mutating func take(_ byte: UInt8) {
        if isEscaped {
            isEscaped = false
        } else if isInString {
            isEscaped = byte == 0x5C
            isInString = byte != 0x22
        } else {
            switch byte {
            case 0x22: isInString = true
            case 0x7B, 0x5B: depth += 1
            case 0x7D, 0x5D:
                depth -= 1
                if depth <= 0 { isComplete = true }
            default: break
            }
        }
    }
}
