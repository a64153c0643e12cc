import Base
package import Postgres

/// The HMAC of a key under a pepper: what the database and the memory hold in the key's place.
package struct KeyDigest: Equatable, Sendable {
    private var words: (UInt64, UInt64, UInt64, UInt64)

    /// `nil` unless there are 32 bytes.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        words = bytes.withUnsafeBytes { bytes in
            (
                bytes.loadUnaligned(as: UInt64.self),
                bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
                bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self),
                bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
            )
        }
    }

    init(of key: APIKey, under pepper: KeyedDigest) {
        words = (0, 0, 0, 0)
        withUnsafeMutableBytes(of: &words) { words in
            key.bytes.withUnsafeBytes { pepper.hmacSHA256(of: $0, into: words) }
        }
    }

    package var bytes: [UInt8] { withUnsafeBytes(of: words) { Array($0) } }

    /// Where it belongs among `count` places.
    func place(among count: Int) -> Int { Int(words.1 % UInt64(count)) }

    package static func == (left: KeyDigest, right: KeyDigest) -> Bool {
        left.words.0 == right.words.0 && left.words.1 == right.words.1 && left.words.2 == right.words.2
            && left.words.3 == right.words.3
    }
}

extension KeyDigest: Hashable {
    /// One word of an HMAC is as good a hash as any, and nobody without the pepper can choose it.
    package func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
}

extension KeyDigest: PostgresEncodable {
    package static var postgresType: PostgresType { .bytea }
    package func encode(into bytes: inout [UInt8]) { bytes.append(contentsOf: self.bytes) }
}
