package import Base

/// A key under which access tokens are signed.
package struct SigningKey: Sendable {
    /// The `kid`.
    package let id: UUID
    package let privateKey: Ed25519PrivateKey
    package let createdAt: Timestamp
    /// From then on it neither signs nor verifies.
    package let retiresAt: Timestamp?

    package init(id: UUID, privateKey: Ed25519PrivateKey, createdAt: Timestamp, retiresAt: Timestamp? = nil) {
        self.id = id
        self.privateKey = privateKey
        self.createdAt = createdAt
        self.retiresAt = retiresAt
    }

    func isRetired(at now: Timestamp) -> Bool { retiresAt.map { $0 <= now } ?? false }
}
