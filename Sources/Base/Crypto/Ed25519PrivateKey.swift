import CCrypto

/// A key that signs (RFC 8032). It prints as nothing of itself.
package struct Ed25519PrivateKey: Sendable, CustomStringConvertible, CustomReflectable {
    package static let length = 32

    package let publicKey: Ed25519PublicKey
    private let key: CryptoKey

    package static func make() -> Ed25519PrivateKey {
        guard let key = Ed25519PrivateKey(bytes: Random.bytes(length)) else {
            preconditionFailure("any 32 bytes are a key")
        }
        return key
    }

    /// From the 32 bytes that RFC 8032 calls the private key.
    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == Self.length else { return nil }
        let seed = Array(bytes)
        guard let key = EVP_PKEY_new_raw_private_key_ex(nil, "ED25519", nil, seed, seed.count) else {
            preconditionFailure("libcrypto lacks Ed25519")
        }
        self.key = CryptoKey(key)
        var point = [UInt8](repeating: 0, count: Ed25519PublicKey.length)
        var count = point.count
        guard EVP_PKEY_get_raw_public_key(key, &point, &count) == 1,
            let publicKey = Ed25519PublicKey(bytes: point)
        else { preconditionFailure("libcrypto gives no public key") }
        self.publicKey = publicKey
    }

    /// The key itself: for the vault, and nowhere else.
    package var bytes: [UInt8] {
        var seed = [UInt8](repeating: 0, count: Self.length)
        var count = seed.count
        let result = key.withPointer { EVP_PKEY_get_raw_private_key($0, &seed, &count) }
        precondition(result == 1, "libcrypto gives no private key")
        return seed
    }

    /// 64 bytes, always the same for the same message.
    package func signature(of message: [UInt8]) -> [UInt8] {
        guard let context = EVP_MD_CTX_new() else { preconditionFailure("libcrypto has no memory") }
        defer { EVP_MD_CTX_free(context) }
        return [UInt8](unsafeUninitializedCapacity: Ed25519PublicKey.signatureLength) { buffer, filled in
            filled = Ed25519PublicKey.signatureLength
            let result = key.withPointer { key in
                EVP_DigestSignInit_ex(context, nil, nil, nil, nil, key, nil) == 1
                    && EVP_DigestSign(context, buffer.baseAddress, &filled, message, message.count) == 1
            }
            precondition(result, "libcrypto refuses to sign")
        }
    }

    package var description: String { "***" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
