import Base
package import Chat
package import JSON

/// A request as its client sent it, and what of it tells two questions apart: found out once for those who ask the same
/// again and again.
package struct CanonicalRequest: Sendable {
    package let document: JSONDocument
    /// Whether a stream and a whole answer cannot be made of each other.
    package let streamMatters: Bool
    /// Of its canonical form.
    let digest: [UInt8]

    package init(_ document: JSONDocument, _ dialect: ChatDialect) {
        self.init(document, streamMatters: CacheSubject.streamMatters(in: document, dialect: dialect))
    }

    package init(_ document: JSONDocument, streamMatters: Bool) {
        self.document = document
        self.streamMatters = streamMatters
        var written: [UInt8] = []
        written.reserveCapacity(document.bytes.count)
        // Whatever is not known to be without effect counts. A member that is null says as much as one that is not
        // there.
        document.root.appendCanonical(to: &written) { member in
            if member.value.isNull { return false }
            return streamMatters || !Self.isAboutStream(member.key)
        }
        digest = Digest.sha256(written)
    }

    private static func isAboutStream(_ key: JSONString) -> Bool {
        switch key {
        case "stream", "stream_options": true
        default: false
        }
    }
}
