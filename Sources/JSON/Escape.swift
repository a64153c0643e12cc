/// Writes the inside of strings.
enum Escape {
    /// Appends `text`, which is UTF-8, with the escapes it needs.
    static func append(_ text: UnsafeBufferPointer<UInt8>, to output: inout [UInt8]) {
        guard let base = text.baseAddress else { return }
        var offset = 0
        while true {
            let run = Scan.firstSpecial(base, from: offset, to: text.count, nonASCII: false)
            output.append(contentsOf: UnsafeBufferPointer(start: base + offset, count: run - offset))
            guard run < text.count else { return }
            append(base[run], to: &output)
            offset = run + 1
        }
    }

    /// Appends one ASCII character, escaped if it must be.
    static func append(_ byte: UInt8, to output: inout [UInt8]) {
        let letter: UInt8
        switch byte {
        case 0x22, 0x5C: letter = byte
        case 0x08: letter = 0x62
        case 0x09: letter = 0x74
        case 0x0A: letter = 0x6E
        case 0x0C: letter = 0x66
        case 0x0D: letter = 0x72
        case 0..<0x20:
            output.append(contentsOf: [0x5C, 0x75, 0x30, 0x30, 0x30 + byte >> 4, hexDigit(byte & 15)])
            return
        default: return output.append(byte)
        }
        output.append(0x5C)
        output.append(letter)
    }

    private static func hexDigit(_ nibble: UInt8) -> UInt8 { nibble < 10 ? 0x30 + nibble : 0x57 + nibble }
}
