package import Base

/// A secret of 256 bits that somebody is given once and presents later: a session's cookie, a refresh token, a link in a
/// mail. It cannot be guessed, so its plain SHA-256 is all that is kept.
package struct PresentedSecret: Sendable {
    private static let length = 43

    package let secret: Secret
    let digest: [UInt8]

    static func make() -> PresentedSecret { PresentedSecret(Random.base62(length)) }

    /// `nil` if it cannot be one.
    package init?(presented text: String) {
        guard text.utf8.count == Self.length, text.utf8.allSatisfy(Base62.isDigit) else { return nil }
        self.init(text)
    }

    private init(_ text: String) {
        secret = Secret(text)
        digest = Digest.sha256(text.utf8)
    }
}
