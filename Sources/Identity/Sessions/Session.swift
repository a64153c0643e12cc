package import Base

/// A sign-in that has not ended.
package struct Session: Sendable {
    package var id: UUID
    package var user: UUID
    package var organization: UUID
    package var isCookie: Bool
    package var bySSO: Bool
    package var address: String?
    package var userAgent: String?
    package var createdAt: Timestamp
    package var lastUsedAt: Timestamp
    package var expiresAt: Timestamp

    /// What carries it from request to request.
    package enum Carrier: String, Sendable, CaseIterable {
        /// A short access token and a refresh token that is good once.
        case tokens
        /// A browser's cookie.
        case cookie
    }
}

/// A session that was begun or carried on, with the secret that the client keeps.
package struct SessionGrant: Sendable {
    package var session: UUID
    package var user: UUID
    package var organization: UUID
    /// The next refresh token, or the cookie's value.
    package var secret: Secret
    package var expiresAt: Timestamp
}
