import Base

/// The name of a request: `req_` and 22 characters.
struct RequestIdentifier {
    fileprivate let words: (UInt64, UInt64)

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

/// Names that do not repeat in practice. Seeded by the kernel once, because a call of the kernel for each request would cost
/// as much as the rest of it.
struct RequestIdentifierSource {
    private var state: (UInt64, UInt64) = Random.words()

    mutating func next() -> RequestIdentifier { RequestIdentifier(words: (step(), step())) }

    /// xoroshiro128+.
    private mutating func step() -> UInt64 {
        let result = state.0 &+ state.1
        let mixed = state.0 ^ state.1
        state.0 = (state.0 << 24 | state.0 >> 40) ^ mixed ^ (mixed << 16)
        state.1 = mixed << 37 | mixed >> 27
        return result
    }
}
