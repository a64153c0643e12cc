import Base

/// Names requests: `req_` and 22 characters that do not repeat in practice. Seeded by the kernel once,
/// because a call of the kernel for each request would cost as much as the rest of it.
struct RequestIdentifierSource {
    private var state: (UInt64, UInt64) = Random.words()

    mutating func next() -> String {
        let words = (step(), step())
        return String(unsafeUninitializedCapacity: Self.length) { text in
            for (place, byte) in Self.prefix.enumerated() { text[place] = byte }
            Self.write(words.0, to: text, at: Self.prefix.count)
            Self.write(words.1, to: text, at: Self.prefix.count + Self.digits)
            return Self.length
        }
    }

    private static let prefix = Array("req_".utf8)
    /// So many of base 62 hold 64 bits.
    private static let digits = 11
    private static let length = prefix.count + 2 * digits

    private static func write(_ word: UInt64, to text: UnsafeMutableBufferPointer<UInt8>, at start: Int) {
        var rest = word
        for place in start..<start + digits {
            text[place] = Base62.alphabet[Int(rest % 62)]
            rest /= 62
        }
    }

    /// xoroshiro128+.
    private mutating func step() -> UInt64 {
        let result = state.0 &+ state.1
        let mixed = state.0 ^ state.1
        state.0 = (state.0 << 24 | state.0 >> 40) ^ mixed ^ (mixed << 16)
        state.1 = mixed << 37 | mixed >> 27
        return result
    }
}
