import CCrypto

/// A key that verifies RSASSA-PKCS1-v1_5 with SHA-256 (JOSE's RS256): what most identity providers sign with.
package struct RSAPublicKey: Sendable {
    package static let leastBits = 2048
    /// A larger key would make every verification a burden.
    package static let mostBits = 8192

    private let key: CryptoKey
    private let length: Int

    /// Both numbers with the most significant byte first. `nil` if the key is too weak, too large or none.
    package init?(modulus: some Collection<UInt8>, exponent: some Collection<UInt8>) {
        let modulus = Array(modulus.drop { $0 == 0 })
        let exponent = Array(exponent.drop { $0 == 0 })
        guard let first = modulus.first, let last = modulus.last, last & 1 == 1,
            (Self.leastBits...Self.mostBits).contains(modulus.count * 8 - first.leadingZeroBitCount),
            // With an exponent of one every message is its own signature.
            let odd = exponent.last, odd & 1 == 1, exponent.count <= 8, exponent != [1]
        else { return nil }
        let made = crypto_rsa_public_key(modulus, Int32(modulus.count), exponent, Int32(exponent.count))
        guard let key = CryptoKey(made: made) else { return nil }
        self.key = key
        length = modulus.count
    }

    package func isValid(signature: [UInt8], of message: [UInt8]) -> Bool {
        signature.count == length && key.isValid(signature: signature, of: message, digest: "SHA256")
    }
}
