import CCrypto

/// A key that verifies ECDSA on P-256 with SHA-256 (JOSE's ES256).
package struct P256PublicKey: Sendable {
    package static let coordinateLength = 32

    private let key: CryptoKey

    /// `nil` if that is no point of the curve.
    package init?(x: some Collection<UInt8>, y: some Collection<UInt8>) {
        guard x.count == Self.coordinateLength, y.count == Self.coordinateLength else { return nil }
        var point = [0x04] + Array(x) + Array(y)
        guard let key = CryptoKey(made: crypto_p256_public_key(&point, point.count)) else { return nil }
        self.key = key
    }

    /// `signature` is r and s, 32 bytes each.
    package func isValid(signature: [UInt8], of message: [UInt8]) -> Bool {
        guard signature.count == 2 * Self.coordinateLength, let encoded = Self.encoded(signature) else {
            return false
        }
        return key.isValid(signature: encoded, of: message, digest: "SHA256")
    }

    /// As libcrypto wants it: an ASN.1 sequence of both.
    private static func encoded(_ signature: [UInt8]) -> [UInt8]? {
        guard let pair = ECDSA_SIG_new() else { preconditionFailure("libcrypto has no memory") }
        defer { ECDSA_SIG_free(pair) }
        let r = BN_bin2bn(Array(signature[..<coordinateLength]), Int32(coordinateLength), nil)
        let s = BN_bin2bn(Array(signature[coordinateLength...]), Int32(coordinateLength), nil)
        // The pair owns both from here on.
        guard ECDSA_SIG_set0(pair, r, s) == 1 else { return nil }
        let count = Int(i2d_ECDSA_SIG(pair, nil))
        guard count > 0 else { return nil }
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            var position = buffer.baseAddress
            filled = Int(i2d_ECDSA_SIG(pair, &position))
        }
    }
}
