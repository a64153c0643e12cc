package import Base

/// Argon2id in its usual text form, which carries its own parameters; or a PBKDF2 hash from elsewhere, wrapped in one:
/// `$argon2id-pbkdf2$i=600000,l=32$SALT$v=19$m=19456,t=2,p=1$SALT$HASH` is the Argon2id of what PBKDF2 makes.
package struct PasswordHash: Sendable, Equatable, CustomStringConvertible {
    private static let saltLength = 16
    private static let hashLength = 32

    package let text: String

    /// A hash read from where it is stored.
    package init(stored text: String) { self.text = text }

    /// Takes about 20 ms of one core and 19 MiB: never on a loop. `PasswordPool` does it elsewhere.
    package init(of password: Secret) {
        self.init(computing: Array(password.reveal().utf8), after: nil)
    }

    /// What another system knew of a password: PBKDF2 with HMAC-SHA256. Such a hash is too cheap to keep as it is and
    /// cannot be turned back, so it is hashed once more. `nil` if it is out of bounds (see `PasswordHashParts`).
    package init?(wrappingPBKDF2 hash: [UInt8], salt: [UInt8], iterations: Int) {
        let inner = PasswordHashParts.PBKDF2Step(iterations: iterations, salt: salt, length: hash.count)
        guard inner.isInBounds else { return nil }
        self.init(computing: hash, after: inner)
    }

    /// Of nothing: as costly to compare with as any other, and no password is known that fits.
    static func dummy() -> PasswordHash {
        PasswordHash(
            PasswordHashParts(
                pbkdf2: nil, cost: .standard, salt: Random.bytes(saltLength), hash: Random.bytes(hashLength)))
    }

    private init(computing message: [UInt8], after step: PasswordHashParts.PBKDF2Step?) {
        let salt = Random.bytes(Self.saltLength)
        let hash = Argon2.hash(message, salt: salt, cost: .standard, length: Self.hashLength)
        self.init(PasswordHashParts(pbkdf2: step, cost: .standard, salt: salt, hash: hash))
    }

    private init(_ parts: PasswordHashParts) { text = parts.text }

    /// As costly as making one; `false` at once if this is no hash.
    package func matches(_ password: Secret) -> Bool {
        PasswordHashParts(parsing: text)?.matches(password) ?? false
    }

    /// Whether a new hash of the same password would be made otherwise. Ask it when the password is at hand.
    package var needsRehash: Bool {
        guard let parts = PasswordHashParts(parsing: text) else { return true }
        return parts.pbkdf2 != nil || parts.cost != .standard || parts.salt.count != Self.saltLength
            || parts.hash.count != Self.hashLength
    }

    /// Not even a hash belongs in a log.
    package var description: String { "***" }
}
