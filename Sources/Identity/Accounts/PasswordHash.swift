package import Base
import CArgon2

/// Argon2id in its usual text form, which carries its own parameters.
package struct PasswordHash: Sendable, Equatable {
    private static let memoryKiB: UInt32 = 19_456
    private static let passes: UInt32 = 2
    private static let lanes: UInt32 = 1
    private static let saltLength = 16
    private static let hashLength = 32

    package let text: String

    /// A hash read from where it is stored.
    package init(stored text: String) { self.text = text }

    /// Takes about 20 ms of one core and 19 MiB: never on a loop.
    package init(of password: Secret) {
        let password = Array(password.reveal().utf8)
        let salt = Random.bytes(Self.saltLength)
        let length = argon2_encodedlen(
            Self.passes, Self.memoryKiB, Self.lanes, UInt32(Self.saltLength), UInt32(Self.hashLength),
            Argon2_id)
        var encoded = [CChar](repeating: 0, count: Int(length))
        let code = argon2id_hash_encoded(
            Self.passes, Self.memoryKiB, Self.lanes, password, password.count, salt, salt.count,
            Self.hashLength,
            &encoded, encoded.count)
        precondition(code == ARGON2_OK.rawValue, "argon2 fails: code \(code)")
        text = encoded.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
    }

    /// As costly as making one.
    package func matches(_ password: Secret) -> Bool {
        let password = Array(password.reveal().utf8)
        return argon2id_verify(text, password, password.count) == ARGON2_OK.rawValue
    }
}
