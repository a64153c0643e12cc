/// Which answers may stand for each other.
package struct CacheKey: Hashable, Sendable {
    package static let length = 32

    /// A SHA-256.
    package let bytes: [UInt8]

    package init(bytes: [UInt8]) {
        precondition(bytes.count == Self.length)
        self.bytes = bytes
    }
}
