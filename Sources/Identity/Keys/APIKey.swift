package import Base

/// The secret that a caller presents: `hg_live_`, 30 random characters, and a checksum of both in 6 more.
///
/// The checksum finds keys that were cut off, mistyped or made up before anything is looked up.
package struct APIKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package static let prefix = "hg_live_"
    private static let prefixBytes = Array(prefix.utf8)
    private static let randomLength = 30
    private static let checksumLength = 6

    /// The text. Bytes rather than a string, because this is made for every request.
    let bytes: [UInt8]

    /// The whole text. Shown once, to whoever made the key.
    package var secret: Secret { Secret(String(decoding: bytes, as: UTF8.self)) }
    package var lastFour: String { String(decoding: bytes.suffix(4), as: UTF8.self) }

    package var description: String { "***" }
    package var debugDescription: String { "***" }
    package var customMirror: Mirror { Mirror(self, children: []) }

    /// A new key.
    package static func make() -> APIKey {
        let body = Array((prefix + Random.base62(randomLength)).utf8)
        return APIKey(
            unchecked: body + Base62.encode(UInt64(CRC32.checksum(of: body)), width: checksumLength).utf8)
    }

    /// `nil` if `text` cannot be a key.
    package init?(presented text: some Collection<UInt8>) {
        self.init(bytes: Array(text))
    }

    /// Not generic: this runs for every request, and took a tenth of one while it was.
    private init?(bytes: [UInt8]) {
        let bodyLength = Self.prefixBytes.count + Self.randomLength
        guard bytes.count == bodyLength + Self.checksumLength, bytes.starts(with: Self.prefixBytes),
            bytes[Self.prefixBytes.count...].allSatisfy(Base62.isDigit)
        else { return nil }
        var checksum = UInt64(CRC32.checksum(of: bytes[..<bodyLength]))
        for position in stride(from: bytes.count - 1, through: bodyLength, by: -1) {
            guard bytes[position] == Base62.alphabet[Int(checksum % 62)] else { return nil }
            checksum /= 62
        }
        self.init(unchecked: bytes)
    }

    private init(unchecked bytes: [UInt8]) { self.bytes = bytes }
}
