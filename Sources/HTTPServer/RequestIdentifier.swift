import Base

/// The name of a request: `req_` and 22 characters.
struct RequestIdentifier {
    private let words: (UInt64, UInt64)

    init(_ words: (UInt64, UInt64)) { self.words = words }

    static let length = prefix.count + 2 * digits

    private static let prefix = Array("req_".utf8)
    /// So many of base 62 hold 64 bits.
    private static let digits = 11

    var text: String {
        String(unsafeUninitializedCapacity: Self.length) { text in
            write(to: UnsafeMutableRawBufferPointer(text))
            return Self.length
        }
    }

    /// Fills `text`, which is as long as a name.
    func write(to text: UnsafeMutableRawBufferPointer) {
        text.copyBytes(from: Self.prefix)
        Self.write(words.0, to: text, at: Self.prefix.count)
        Self.write(words.1, to: text, at: Self.prefix.count + Self.digits)
    }

    private static func write(_ word: UInt64, to text: UnsafeMutableRawBufferPointer, at start: Int) {
        Base62.alphabet.withUnsafeBufferPointer { alphabet in
            var rest = word
            for place in start..<start + digits {
                text[place] = alphabet[Int(rest % 62)]
                rest /= 62
            }
        }
    }
}
