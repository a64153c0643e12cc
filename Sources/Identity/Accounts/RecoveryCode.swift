package import Base

/// What opens an account once when the authenticator is lost: 80 random bits as `ABCD-EFGH-IJKL-MNOP`.
package enum RecoveryCode {
    private static let byteCount = 10
    private static let groupLength = 4

    /// A new one. It is shown once; only its digest is stored.
    package static func make() -> Secret {
        let digits = Array(Base32.encode(Random.bytes(byteCount)))
        let groups = stride(from: 0, to: digits.count, by: groupLength).map { start in
            String(digits[start..<(start + groupLength)])
        }
        return Secret(groups.joined(separator: "-"))
    }

    /// The same for every way of typing a code: in either case, with or without dashes and spaces.
    ///
    /// Nobody can go through 80 bits, so a plain digest gives nothing away.
    package static func digest(of code: String) -> [UInt8] {
        let digits = code.utf8.compactMap { character -> UInt8? in
            switch character {
            case UInt8(ascii: "-"), UInt8(ascii: " "): nil
            case UInt8(ascii: "a")...UInt8(ascii: "z"): character - 0x20
            default: character
            }
        }
        return Digest.sha256(digits)
    }
}
