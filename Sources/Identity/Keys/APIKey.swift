package import Base

/// The secret that a caller presents: `hg_live_`, 30 random characters, and a checksum of both in 6 more.
///
/// The checksum finds keys that were cut off, mistyped or made up before anything is looked up.
package struct APIKey: Sendable {
    package static let prefix = "hg_live_"
    private static let randomLength = 30
    private static let checksumLength = 6

    /// The whole text. Shown once, to whoever made the key.
    package let secret: Secret
    package var lastFour: String { String(secret.reveal().suffix(4)) }

    /// A new key.
    package static func make() -> APIKey {
        let body = prefix + Random.base62(randomLength)
        return APIKey(body + checksum(of: Array(body.utf8)[...]))
    }

    /// `nil` if `text` cannot be a key.
    package init?(presented text: some Collection<UInt8>) {
        self.init(bytes: Array(text))
    }

    /// Not generic: this runs for every request, and took a tenth of one while it was.
    private init?(bytes: [UInt8]) {
        let prefixLength = Self.prefix.utf8.count
        let bodyLength = prefixLength + Self.randomLength
        guard bytes.count == bodyLength + Self.checksumLength, bytes.starts(with: Self.prefix.utf8),
            bytes[prefixLength...].allSatisfy(Base62.isDigit),
            bytes[bodyLength...].elementsEqual(Self.checksum(of: bytes[..<bodyLength]).utf8)
        else { return nil }
        self.init(String(decoding: bytes, as: UTF8.self))
    }

    private init(_ text: String) {
        secret = Secret(text)
    }

    private static func checksum(of bytes: ArraySlice<UInt8>) -> String {
        Base62.encode(UInt64(CRC32.checksum(of: bytes)), width: checksumLength)
    }
}
