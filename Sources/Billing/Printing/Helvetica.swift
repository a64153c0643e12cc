/// How wide the letters of Helvetica are, in thousandths of its size.
enum Helvetica {
    static func width(of text: some Sequence<UInt8>, size: Int) -> Int {
        text.reduce(0) { $0 + width(of: $1) } * size
    }

    /// `text` in lines that are no wider than `width`, in thousandths of a point. A word that is too long is broken.
    static func lines(_ text: [UInt8], size: Int, within width: Int) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var line: [UInt8] = []
        func end() {
            if !line.isEmpty { lines.append(line) }
            line = []
        }
        for word in text.split(separator: 0x20) {
            if !line.isEmpty, Self.width(of: line + [0x20] + word, size: size) > width { end() }
            if !line.isEmpty { line.append(0x20) }
            for byte in word {
                if !line.isEmpty, Self.width(of: line + [byte], size: size) > width { end() }
                line.append(byte)
            }
        }
        end()
        return lines
    }

    private static func width(of byte: UInt8) -> Int {
        if (0x20...0x7E).contains(byte) { return widths[Int(byte) - 0x20] }
        // No accented letter is wider than an m, and no sign much wider than an M.
        return byte >= 0xE0 ? 833 : 1000
    }

    /// From the space to the tilde.
    private static let widths = [
        278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556,
        556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778,
        722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278,
        278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
        556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
    ]
}
