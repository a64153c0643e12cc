import Base

/// What is on a page, as PDF says it. Places are in thousandths of a point, from the lower left corner.
struct PDFPage {
    private(set) var content: [UInt8] = []

    /// A4.
    static let width = 595_000
    static let height = 842_000

    mutating func write(_ text: [UInt8], at x: Int, _ y: Int, size: Int, bold: Bool = false) {
        if text.isEmpty { return }
        content.append(bold ? "BT /F2 " : "BT /F1 ")
        content.append(decimal: size)
        content.append(" Tf ")
        append(x, y)
        content.append(" Td (")
        Self.append(escaped: text, to: &content)
        content.append(") Tj ET\n")
    }

    /// So that it ends at `x`.
    mutating func write(_ text: [UInt8], endingAt x: Int, _ y: Int, size: Int, bold: Bool = false) {
        write(text, at: x - Helvetica.width(of: text, size: size), y, size: size, bold: bold)
    }

    mutating func line(from x: Int, to end: Int, at y: Int) {
        content.append("0.5 w ")
        append(x, y)
        content.append(" m ")
        append(end, y)
        content.append(" l S\n")
    }

    private mutating func append(_ x: Int, _ y: Int) {
        for (index, place) in [x, y].enumerated() {
            if index > 0 { content.append(0x20) }
            content.append(decimal: place / 1000)
            content.append(0x2E)
            content.append(decimal: abs(place % 1000), width: 3)
        }
    }

    /// All in ASCII, so that the file is.
    static func append(escaped text: [UInt8], to bytes: inout [UInt8]) {
        for byte in text {
            switch byte {
            case 0x28, 0x29, 0x5C: bytes += [0x5C, byte]
            case 0x20...0x7E: bytes.append(byte)
            default: bytes += [0x5C, 0x30 + byte >> 6, 0x30 + byte >> 3 & 7, 0x30 + byte & 7]
            }
        }
    }
}
