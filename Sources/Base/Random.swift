import Glibc

/// Randomness fit for keys, from the kernel.
package enum Random {
    package static func bytes(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            fill(UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count]))
            filled = count
        }
    }

    package static func words() -> (UInt64, UInt64) {
        var words: (UInt64, UInt64) = (0, 0)
        withUnsafeMutableBytes(of: &words) { fill($0) }
        return words
    }

    /// `count` characters out of 0–9, A–Z, a–z, each equally likely.
    package static func base62(_ count: Int) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(count)
        while text.count < count {
            // 248 is the largest multiple of 62 in a byte; what lies above would favour the first letters.
            for byte in bytes(count) where byte < 248 && text.count < count {
                text.append(Base62.alphabet[Int(byte % 62)])
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func fill(_ buffer: UnsafeMutableRawBufferPointer) {
        for start in stride(from: 0, to: buffer.count, by: 256) {
            let piece = UnsafeMutableRawBufferPointer(
                rebasing: buffer[start..<min(start + 256, buffer.count)])
            // Up to 256 bytes it fails only where the kernel has no generator, and then there is no safe way on.
            precondition(getentropy(piece.baseAddress, piece.count) == 0, "the kernel gives no random bytes")
        }
    }
}
