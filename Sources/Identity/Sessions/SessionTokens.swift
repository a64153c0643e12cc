package import Base

/// Access tokens for sessions, on one loop: made from a grant, and traced back to a principal.
// Confined to its loop.
package final class SessionTokens: @unchecked Sendable {
    package static let lifetime = Duration.seconds(15 * 60)
    /// A token under an unknown key makes the keys be read again, but not more often than this.
    private static let reloadPause = Duration.seconds(1)

    private let keys: SigningKeys
    private let keyStore: SigningKeyStore
    private let store: IdentityStore
    private let time: TimeSource
    private var nextReload = Instant(nanoseconds: 0)

    /// `keys` is shared by all loops.
    package init(
        _ keys: SigningKeys, _ keyStore: SigningKeyStore, _ store: IdentityStore, time: TimeSource = .live
    ) {
        self.keys = keys
        self.keyStore = keyStore
        self.store = store
        self.time = time
    }

    package func token(for grant: SessionGrant) -> Secret {
        token(of: grant.session, user: grant.user, in: grant.organization)
    }

    package func token(of session: UUID, user: UUID, in organization: UUID) -> Secret {
        let now = time.timestamp()
        return Secret(
            keys.sign(
                AccessToken(
                    user: user, organization: organization, session: session, issuedAt: now,
                    expiresAt: now + Self.lifetime)))
    }

    /// Whom a token stands for at this moment; `nil` if nobody. Why is said to nobody.
    package func principal(presenting token: ArraySlice<UInt8>) async throws -> Principal? {
        var outcome = keys.verify(token, at: time.timestamp())
        if case .unknownKey = outcome, time.instant() >= nextReload {
            nextReload = time.instant() + Self.reloadPause
            try await reload()
            outcome = keys.verify(token, at: time.timestamp())
        }
        guard case .valid(let claims) = outcome else { return nil }
        return try await store.principal(presenting: claims)
    }

    /// Learns of keys that other processes made.
    package func reload() async throws { keys.replace(with: try await keyStore.load()) }

    /// For those who check our tokens themselves.
    package var publicKeys: [UInt8] { keys.jwks() }

    package func rotate(by actor: Actor) async throws -> UUID {
        let key = try await keyStore.rotate(by: actor)
        try await reload()
        return key
    }
}
