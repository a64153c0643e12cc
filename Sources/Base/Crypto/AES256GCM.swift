import CCrypto

/// Encryption that also proves that nothing was changed (NIST SP 800-38D).
///
/// A sealed value is a random nonce of 12 bytes, the ciphertext, and a tag of 16 bytes. Under one key no more than 2^32
/// values should be sealed.
package enum AES256GCM {
    package static let keyLength = 32
    /// By so many bytes a sealed value is longer than what is in it.
    package static let overhead = nonceLength + tagLength
    private static let nonceLength = 12
    private static let tagLength = 16

    /// `associated` is not stored: whoever opens the value must know it.
    package static func seal(_ plaintext: [UInt8], key: [UInt8], associated: [UInt8]) -> [UInt8] {
        seal(plaintext, key: key, associated: associated, nonce: Random.bytes(nonceLength))
    }

    /// `nil` if any bit of the value, the key or `associated` is not what it was.
    package static func open(_ sealed: [UInt8], key: [UInt8], associated: [UInt8]) -> [UInt8]? {
        precondition(key.count == keyLength, "a key has 32 bytes")
        guard sealed.count >= overhead else { return nil }
        let nonce = Array(sealed[..<nonceLength])
        let ciphertext = Array(sealed[nonceLength..<(sealed.count - tagLength)])
        var tag = Array(sealed.suffix(tagLength))
        return withContext { context in
            precondition(
                EVP_DecryptInit_ex2(context, algorithm.pointer, key, nonce, nil) == 1,
                "libcrypto refuses AES-256-GCM")
            var ignored: Int32 = 0
            var plaintext = [UInt8](repeating: 0, count: ciphertext.count + 1)
            var count: Int32 = 0
            guard
                EVP_DecryptUpdate(context, nil, &ignored, associated, Int32(associated.count)) == 1,
                EVP_DecryptUpdate(context, &plaintext, &count, ciphertext, Int32(ciphertext.count)) == 1,
                EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(tagLength), &tag) == 1,
                // Only this says whether the tag fits: nothing may be believed before.
                EVP_DecryptFinal_ex(context, nil, &ignored) == 1
            else {
                ERR_clear_error()
                return nil
            }
            return Array(plaintext[..<Int(count)])
        }
    }

    /// With a nonce that the caller answers for: for published examples. Twice the same under one key gives both
    /// plaintexts away.
    package static func seal(
        _ plaintext: [UInt8], key: [UInt8], associated: [UInt8], nonce: [UInt8]
    ) -> [UInt8] {
        precondition(key.count == keyLength && nonce.count == nonceLength, "32 bytes of key, 12 of nonce")
        return withContext { context in
            var ignored: Int32 = 0
            var ciphertext = [UInt8](repeating: 0, count: plaintext.count + 1)
            var count: Int32 = 0
            var tag = [UInt8](repeating: 0, count: tagLength)
            let isDone =
                EVP_EncryptInit_ex2(context, algorithm.pointer, key, nonce, nil) == 1
                && EVP_EncryptUpdate(context, nil, &ignored, associated, Int32(associated.count)) == 1
                && EVP_EncryptUpdate(context, &ciphertext, &count, plaintext, Int32(plaintext.count)) == 1
                && EVP_EncryptFinal_ex(context, nil, &ignored) == 1
                && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(tagLength), &tag) == 1
            precondition(isDone, "libcrypto refuses AES-256-GCM")
            return nonce + ciphertext[..<Int(count)] + tag
        }
    }

    private static func withContext<Result>(_ body: (OpaquePointer) -> Result) -> Result {
        guard let context = EVP_CIPHER_CTX_new() else { preconditionFailure("libcrypto has no memory") }
        defer { EVP_CIPHER_CTX_free(context) }
        return body(context)
    }

    private static let algorithm = Algorithm()

    // libcrypto's method tables are immutable once fetched.
    private struct Algorithm: @unchecked Sendable {
        let pointer: OpaquePointer

        init() {
            guard let pointer = EVP_CIPHER_fetch(nil, "AES-256-GCM", nil) else {
                preconditionFailure("libcrypto lacks AES-256-GCM")
            }
            self.pointer = pointer
        }
    }
}
