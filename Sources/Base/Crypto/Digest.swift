import CCrypto

/// Digests by libcrypto.
package enum Digest {
    /// 32 bytes.
    package static func sha256(_ bytes: some Collection<UInt8>) -> [UInt8] {
        digest(Algorithms.sha256, bytes)
    }

    /// 20 bytes. For protocols that prescribe it (WebSocket), never for security.
    package static func sha1(_ bytes: some Collection<UInt8>) -> [UInt8] { digest(Algorithms.sha1, bytes) }

    private static func digest(_ algorithm: Algorithm, _ bytes: some Collection<UInt8>) -> [UInt8] {
        func compute(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8] {
            [UInt8](unsafeUninitializedCapacity: Int(EVP_MAX_MD_SIZE)) { buffer, filled in
                var length: UInt32 = 0
                let result = EVP_Digest(
                    bytes.baseAddress, bytes.count, buffer.baseAddress, &length, algorithm.pointer, nil)
                precondition(result == 1, "libcrypto refuses a digest")
                filled = Int(length)
            }
        }
        return bytes.withContiguousStorageIfAvailable(compute)
            ?? Array(bytes).withUnsafeBufferPointer(compute)
    }

    /// Fetched once: a look-up by name costs more than hashing a kilobyte.
    private enum Algorithms {
        static let sha256 = Algorithm("SHA256")
        static let sha1 = Algorithm("SHA1")
    }

    // libcrypto's method tables are immutable once fetched.
    private struct Algorithm: @unchecked Sendable {
        let pointer: OpaquePointer

        init(_ name: String) {
            guard let pointer = EVP_MD_fetch(nil, name, nil) else {
                preconditionFailure("libcrypto lacks \(name)")
            }
            self.pointer = pointer
        }
    }
}
