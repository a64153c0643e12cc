/// Bytes as text (RFC 4648): the usual alphabet with padding, and the one for URLs without.
///
/// Reading is strict, so that bytes have one text only: no white space, no character of the other alphabet, padding
/// exactly where it belongs, and no bits left over.
package enum Base64 {
    package static func encode(_ bytes: some Collection<UInt8>) -> String {
        Alphabet.usual.encode(bytes, isPadded: true)
    }

    /// In the alphabet for URLs, without padding.
    package static func encodeURL(_ bytes: some Collection<UInt8>) -> String {
        Alphabet.url.encode(bytes, isPadded: false)
    }

    /// `nil` if that is not what `encode` writes.
    package static func decode(_ text: some StringProtocol) -> [UInt8]? {
        Alphabet.usual.decode(Array(text.utf8), isPadded: true)
    }

    /// The usual alphabet without padding, as password hashes are written.
    package static func decodeUnpadded(_ text: some StringProtocol) -> [UInt8]? {
        Alphabet.usual.decode(Array(text.utf8), isPadded: false)
    }

    /// The usual alphabet without padding, as password hashes are written.
    package static func encodeUnpadded(_ bytes: some Collection<UInt8>) -> String {
        Alphabet.usual.encode(bytes, isPadded: false)
    }

    /// `nil` if that is not what `encodeURL` writes.
    package static func decodeURL(_ text: some StringProtocol) -> [UInt8]? {
        Alphabet.url.decode(Array(text.utf8), isPadded: false)
    }

    /// `nil` if that is not what `encodeURL` writes.
    package static func decodeURL(_ text: some Collection<UInt8>) -> [UInt8]? {
        Alphabet.url.decode(Array(text), isPadded: false)
    }

    /// Whether the usual alphabet has `character`.
    package static func isDigit(_ character: UInt8) -> Bool { Alphabet.usual.value(of: character) != nil }

    private struct Alphabet: Sendable {
        static let usual = Alphabet(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        static let url = Alphabet(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")

        private static let none = UInt8.max
        private static let padding = UInt8(ascii: "=")

        private let digits: [UInt8]
        private let values: [UInt8]

        init(_ text: String) {
            digits = Array(text.utf8)
            var values = [UInt8](repeating: Self.none, count: 256)
            for (value, digit) in digits.enumerated() { values[Int(digit)] = UInt8(value) }
            self.values = values
        }

        func value(of character: UInt8) -> UInt8? {
            values[Int(character)] == Self.none ? nil : values[Int(character)]
        }

        func encode(_ bytes: some Collection<UInt8>, isPadded: Bool) -> String {
            bytes.withContiguousStorageIfAvailable { encode($0, isPadded: isPadded) }
                ?? Array(bytes).withUnsafeBufferPointer { encode($0, isPadded: isPadded) }
        }

        /// Not generic: collections of other targets would come a byte at a time.
        private func encode(_ bytes: UnsafeBufferPointer<UInt8>, isPadded: Bool) -> String {
            String(unsafeUninitializedCapacity: (bytes.count + 2) / 3 * 4) { text in
                var count = 0
                func write(_ digit: UInt8) {
                    text.initializeElement(at: count, to: digit)
                    count += 1
                }
                var bits: UInt32 = 0
                var bitCount: UInt32 = 0
                for byte in bytes {
                    bits = bits << 8 | UInt32(byte)
                    bitCount += 8
                    while bitCount >= 6 {
                        bitCount -= 6
                        write(digits[Int(bits >> bitCount & 63)])
                    }
                }
                if bitCount > 0 { write(digits[Int(bits << (6 - bitCount) & 63)]) }
                while isPadded, count % 4 != 0 { write(Self.padding) }
                return count
            }
        }

        func decode(_ text: [UInt8], isPadded: Bool) -> [UInt8]? {
            var end = text.count
            if isPadded {
                guard text.count % 4 == 0 else { return nil }
                while end > 0, text.count - end < 2, text[end - 1] == Self.padding { end -= 1 }
            }
            guard end % 4 != 1 else { return nil }
            var bytes: [UInt8] = []
            bytes.reserveCapacity(end / 4 * 3 + 2)
            var bits: UInt32 = 0
            var bitCount: UInt32 = 0
            for character in text[..<end] {
                let value = values[Int(character)]
                guard value != Self.none else { return nil }
                bits = bits << 6 | UInt32(value)
                bitCount += 6
                if bitCount >= 8 {
                    bitCount -= 8
                    bytes.append(UInt8(truncatingIfNeeded: bits >> bitCount))
                }
            }
            // Bits left over would give the same bytes a second text.
            guard bits & (1 << bitCount - 1) == 0 else { return nil }
            return bytes
        }
    }
}
