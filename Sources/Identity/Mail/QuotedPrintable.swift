import Base

/// Text as any mail server passes it on (RFC 2045, 6.7): ASCII, in lines of at most 76 characters.
enum QuotedPrintable {
    private static let longestLine = 76

    static func append(_ text: String, to output: inout [UInt8]) {
        for line in text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false) {
            append(line: Array(line), to: &output)
            output.append("\r\n")
        }
    }

    private static func append(line: [UInt8], to output: inout [UInt8]) {
        var length = 0
        for (index, byte) in line.enumerated() {
            let isLast = index == line.count - 1
            let encoded = needsEscape(byte, isLast: isLast) ? escape(byte) : [byte]
            // One place is kept for the mark that the line goes on.
            if length + encoded.count > (isLast ? longestLine : longestLine - 1) {
                output.append("=\r\n")
                length = 0
            }
            output += encoded
            length += encoded.count
        }
    }

    private static func needsEscape(_ byte: UInt8, isLast: Bool) -> Bool {
        switch byte {
        // A space at the end of a line is lost on the way.
        case 0x20, 0x09: isLast
        case 0x3D: true
        default: !(0x21...0x7E).contains(byte)
        }
    }

    private static func escape(_ byte: UInt8) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        return [0x3D, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }
}
