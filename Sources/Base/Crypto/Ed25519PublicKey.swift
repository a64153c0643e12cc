import CCrypto

/// A key that verifies signatures (RFC 8032).
package struct Ed25519PublicKey: Sendable, Equatable {
    package static let length = 32
    package static let signatureLength = 64

    package let bytes: [UInt8]
    private let key: CryptoKey

    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == Self.length else { return nil }
        self.bytes = Array(bytes)
        let made = EVP_PKEY_new_raw_public_key_ex(nil, "ED25519", nil, self.bytes, self.bytes.count)
        guard let key = CryptoKey(made: made) else { return nil }
        self.key = key
    }

    package func isValid(signature: [UInt8], of message: [UInt8]) -> Bool {
        signature.count == Self.signatureLength
            && key.isValid(signature: signature, of: message, digest: nil)
    }

    package static func == (left: Ed25519PublicKey, right: Ed25519PublicKey) -> Bool {
        left.bytes == right.bytes
    }
}
