import CCrypto

/// HMAC-SHA256 under one key, for many messages. The key is taken in once: that is most of the work of a short
/// message.
// What was made of the key never changes.
package final class KeyedDigest: @unchecked Sendable {
    private static let length = 32
    private let key = UnsafeMutablePointer<crypto_hmac_key>.allocate(capacity: 1)

    package init(key bytes: [UInt8]) { crypto_hmac_prepare(key, bytes, bytes.count) }

    deinit {
        OPENSSL_cleanse(key, MemoryLayout<crypto_hmac_key>.size)
        key.deallocate()
    }

    /// 32 bytes.
    package func hmacSHA256(of message: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Self.length) { buffer, filled in
            message.withUnsafeBytes { hmacSHA256(of: $0, into: UnsafeMutableRawBufferPointer(buffer)) }
            filled = Self.length
        }
    }

    /// The same into `code`, which has room for 32 bytes.
    package func hmacSHA256(of message: UnsafeRawBufferPointer, into code: UnsafeMutableRawBufferPointer) {
        precondition(code.count >= Self.length, "an HMAC-SHA256 has 32 bytes")
        crypto_hmac(key, message.baseAddress, message.count, code.baseAddress)
    }

    /// 20 bytes. For protocols that prescribe it (codes of authenticator apps), never for anything new.
    package static func hmacSHA1(of message: [UInt8], key: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Int(EVP_MAX_MD_SIZE)) { buffer, filled in
            let code = EVP_Q_mac(
                nil, "HMAC", nil, "SHA1", nil, key, key.count, message, message.count, buffer.baseAddress,
                buffer.count, &filled)
            precondition(code != nil, "libcrypto refuses HMAC-SHA1")
        }
    }
}
