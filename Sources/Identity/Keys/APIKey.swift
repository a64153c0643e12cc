package import Base

/// The secret that a caller presents: `hg_live_`, 30 random characters, and a checksum of both in 6 more.
///
/// The checksum finds keys that were cut off, mistyped or made up before anything is looked up.
package struct APIKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package static let prefix = "hg_live_"
    private static let prefixBytes = Array(prefix.utf8)
    private static let randomLength = 30
    private static let checksumLength = 6

    /// The text. Where it lay rather than a string of its own, because this is made for every request.
    let bytes: ArraySlice<UInt8>

    /// The whole text. Shown once, to whoever made the key.
    package var secret: Secret { Secret(String(decoding: bytes, as: UTF8.self)) }
    package var lastFour: String { String(decoding: bytes.suffix(4), as: UTF8.self) }

    package var description: String { "***" }
    package var debugDescription: String { "***" }
    package var customMirror: Mirror { Mirror(self, children: []) }

    /// A new key.
    package static func make() -> APIKey {
        let body = Array((prefix + Random.base62(randomLength)).utf8)
        let checksum = Base62.encode(UInt64(CRC32.checksum(of: body)), width: checksumLength)
        return APIKey(unchecked: ArraySlice(body + checksum.utf8))
    }

    /// `nil` if `text` cannot be a key.
    package init?(presented text: some Collection<UInt8>) {
        self.init(presented: ArraySlice(text))
    }

    /// Not generic, and without a detour over `Base62`: this runs for every request, and was half of finding a caller.
    package init?(presented text: ArraySlice<UInt8>) {
        guard text.withUnsafeBufferPointer(Self.isKey) else { return nil }
        self.init(unchecked: text)
    }

    private static func isKey(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        let bodyLength = prefixBytes.count + randomLength
        guard text.count == bodyLength + checksumLength else { return false }
        for position in prefixBytes.indices where text[position] != prefixBytes[position] { return false }
        for position in prefixBytes.count..<text.count {
            switch text[position] {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: continue
            default: return false
            }
        }
        var checksum = Int(CRC32.checksum(of: UnsafeBufferPointer(rebasing: text[..<bodyLength])))
        for position in stride(from: text.count - 1, through: bodyLength, by: -1) {
            guard text[position] == Base62.alphabet[checksum % 62] else { return false }
            checksum /= 62
        }
        return true
    }

    /// Of what is found to be a key otherwise.
    init(unchecked bytes: ArraySlice<UInt8>) { self.bytes = bytes }
}
