package import Base

/// The secrets under which keys are stored: HMAC-SHA256 with the pepper of a version. Whoever has the database and
/// not the peppers cannot even test a guess. A new version is added in front; keys of older ones go on working.
package struct KeyPeppers: Sendable {
    /// Shorter secrets are refused.
    package static let leastLength = 32

    private let versions: [(version: Int, code: KeyedDigest)]

    package struct Fault: Error, Equatable, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// `text` is `1:secret` or, while rotating, `2:newer,1:older`.
    package init(parsing text: Secret) throws(Fault) {
        var versions: [(version: Int, code: KeyedDigest)] = []
        for part in text.reveal().split(separator: ",") {
            let pieces = part.split(separator: ":", maxSplits: 1)
            guard pieces.count == 2, let version = Int(pieces[0]), (1...32_767).contains(version) else {
                throw Fault(description: "must be VERSION:SECRET, or several of these separated by commas")
            }
            guard pieces[1].utf8.count >= Self.leastLength else {
                throw Fault(
                    description:
                        "the secret of version \(version) must have at least \(Self.leastLength) characters")
            }
            guard !versions.contains(where: { $0.version == version }) else {
                throw Fault(description: "version \(version) is given twice")
            }
            versions.append((version, KeyedDigest(key: Array(pieces[1].utf8))))
        }
        guard !versions.isEmpty else { throw Fault(description: "is empty") }
        self.versions = versions.sorted { $0.version > $1.version }
    }

    /// For a new key: its digest under the newest pepper.
    package func digest(of key: APIKey) -> (digest: KeyDigest, version: Int) {
        (KeyDigest(of: key, under: versions[0].code), versions[0].version)
    }

    /// For a look-up: the digests under every pepper, the newest first.
    package func digests(of key: APIKey) -> [KeyDigest] {
        versions.map { KeyDigest(of: key, under: $0.code) }
    }
}
