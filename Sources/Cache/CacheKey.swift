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

    /// 43 characters, as clients are told it.
    package var text: String { Base64.encodeURL(bytes) }

    /// nil if that is not what `text` gives.
    package init?(text: String) {
        guard let bytes = Base64.decodeURL(text), bytes.count == Self.length else { return nil }
        self.bytes = bytes
    }

    /// Keys of another form are others. To be raised when what goes into a key changes its order or meaning.
    private static let form: StaticString = "hivegate answer 2\n"
}
