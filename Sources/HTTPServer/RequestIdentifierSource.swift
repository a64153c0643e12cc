import Base

/// Names requests: `req_` and 22 characters that do not repeat in practice. Seeded by the kernel once,
/// because a call of the kernel for each request would cost as much as the rest of it.
struct RequestIdentifierSource {
    private var state: (UInt64, UInt64) = Random.words()

    mutating func next() -> String {
        var text: [UInt8] = []
        text.reserveCapacity(26)
        text.append("req_" as StaticString)
        for word in [step(), step()] {
            var rest = word
            // Eleven digits of base 62 hold 64 bits.
            for _ in 0..<11 {
                text.append(Base62.alphabet[Int(rest % 62)])
                rest /= 62
            }
        }
        return String(decoding: text, as: UTF8.self)
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
