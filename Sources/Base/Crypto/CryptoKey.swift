import CCrypto

/// An asymmetric key as libcrypto keeps it.
// libcrypto never changes a key once it is made.
final class CryptoKey: @unchecked Sendable {
    private let key: OpaquePointer

    init(_ key: OpaquePointer) { self.key = key }

    deinit { EVP_PKEY_free(key) }

    /// `nil` where libcrypto has made none.
    convenience init?(made key: OpaquePointer?) {
        guard let key else {
            // libcrypto keeps a list of what went wrong for each thread, and nobody else empties it.
            ERR_clear_error()
            return nil
        }
        self.init(key)
    }

    func withPointer<Result>(_ body: (OpaquePointer) -> Result) -> Result { body(key) }

    /// `digest` is a name such as `SHA256`, or nothing where the scheme has its own.
    func isValid(signature: [UInt8], of message: [UInt8], digest: String?) -> Bool {
        guard let context = EVP_MD_CTX_new() else { preconditionFailure("libcrypto has no memory") }
        defer { EVP_MD_CTX_free(context) }
        guard EVP_DigestVerifyInit_ex(context, nil, digest, nil, nil, key, nil) == 1 else {
            preconditionFailure("libcrypto refuses to verify")
        }
        let result = EVP_DigestVerify(context, signature, signature.count, message, message.count)
        if result != 1 { ERR_clear_error() }
        return result == 1
    }
}
