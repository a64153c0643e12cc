import CCrypto

/// PBKDF2 (RFC 8018) with HMAC-SHA256: for password hashes that were made elsewhere.
package enum PBKDF2 {
    package static func sha256(
        _ password: [UInt8], salt: [UInt8], iterations: Int, length: Int
    ) -> [UInt8] {
        precondition((1...Int(Int32.max)).contains(iterations) && length > 0, "out of range")
        return [UInt8](unsafeUninitializedCapacity: length) { buffer, filled in
            let result = password.withUnsafeBufferPointer { password in
                password.withMemoryRebound(to: CChar.self) { password in
                    PKCS5_PBKDF2_HMAC(
                        password.baseAddress, Int32(password.count), salt, Int32(salt.count),
                        Int32(iterations),
                        EVP_sha256(), Int32(length), buffer.baseAddress)
                }
            }
            precondition(result == 1, "libcrypto refuses PBKDF2")
            filled = length
        }
    }
}
