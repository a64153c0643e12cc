import CCrypto

/// Whether both are the same, in a time that tells nothing of where they differ. Only their lengths may show.
package func constantTimeEquals(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    left.count == right.count && CRYPTO_memcmp(left, right, left.count) == 0
}
