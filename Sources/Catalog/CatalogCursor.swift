import Base

/// A place in what a search found, as clients hand it back: behind the last model that they have seen, be it still there
/// or not.
package struct CatalogCursor: Equatable, Sendable {
    /// Of the query that it belongs to.
    let fingerprint: UInt64
    let key: Int
    let id: String
    /// What `name` sorts by.
    let title: String

    init(fingerprint: UInt64, key: Int, id: String, title: String) {
        self.fingerprint = fingerprint
        self.key = key
        self.id = id
        self.title = title
    }

    package static let longestText = 2000

    /// nil for what is no cursor of this query.
    package init?(_ text: String, of query: CatalogQuery) {
        guard text.utf8.count <= Self.longestText, let bytes = Base64.decodeURL(text),
            let whole = String(validating: bytes, as: UTF8.self)
        else { return nil }
        let parts = whole.split(separator: "\n", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4, let fingerprint = UInt64(parts[0]), fingerprint == query.fingerprint,
            let key = Int(parts[1])
        else { return nil }
        self.init(fingerprint: fingerprint, key: key, id: String(parts[2]), title: String(parts[3]))
    }

    package var text: String { Base64.encodeURL("\(fingerprint)\n\(key)\n\(id)\n\(title)".utf8) }
}
