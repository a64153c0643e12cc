import Base

/// Which answers may stand for each other: a digest of all that can change one.
package struct CacheKey: Hashable, Sendable {
    package static let length = 32

    /// A SHA-256.
    package let bytes: [UInt8]

    package init(bytes: [UInt8]) {
        precondition(bytes.count == Self.length)
        self.bytes = bytes
    }

    package init(of subject: CacheSubject) {
        var written: [UInt8] = []
        written.append(Self.form)
        subject.append(to: &written)
        bytes = Digest.sha256(written)
    }

    /// Keys of another form are others. To be raised when what goes into a key changes its order or meaning.
    private static let form: StaticString = "hivegate answer 1\n"
}
