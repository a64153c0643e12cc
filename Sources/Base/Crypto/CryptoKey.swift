import CCrypto

/// An asymmetric key as libcrypto keeps it.
// libcrypto never changes a key once it is made.
final class CryptoKey: @unchecked Sendable {
    private let key: OpaquePointer

    init(_ key: OpaquePointer) { self.key = key }

    deinit { EVP_PKEY_free(key) }

    /// A public key out of its numbers; `nil` if they are none.
    convenience init?(_ algorithm: String, _ fill: (_ parameters: OpaquePointer) -> Bool) {
        guard let builder = OSSL_PARAM_BLD_new(),
            let context = EVP_PKEY_CTX_new_from_name(nil, algorithm, nil)
        else { preconditionFailure("libcrypto lacks \(algorithm)") }
        defer {
            OSSL_PARAM_BLD_free(builder)
            EVP_PKEY_CTX_free(context)
        }
        guard fill(builder), let parameters = OSSL_PARAM_BLD_to_param(builder) else { return nil }
        defer { OSSL_PARAM_free(parameters) }
        var key: OpaquePointer?
        guard EVP_PKEY_fromdata_init(context) == 1,
            EVP_PKEY_fromdata(context, &key, crypto_public_key, parameters) == 1, let key
        else {
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
