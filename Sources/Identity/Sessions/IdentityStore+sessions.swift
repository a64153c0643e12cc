package import Base
import Postgres

extension IdentityStore {
    /// How long a cookie may lie idle.
    private static let cookieIdleLimit = Duration.seconds(7 * 86_400)
    /// So exactly is it known when a session was last used.
    private static let useGrain = Duration.seconds(60)

    /// Where a session is begun from.
    package struct SessionOrigin: Sendable {
        package var carrier: Session.Carrier
        package var bySSO: Bool
        package var address: String?
        package var userAgent: String?

        package init(
            _ carrier: Session.Carrier, bySSO: Bool = false, address: String? = nil, userAgent: String? = nil
        ) {
            self.carrier = carrier
            self.bySSO = bySSO
            self.address = address
            // Nobody needs all of what a client may say of itself.
            self.userAgent = userAgent.map { String($0.unicodeScalars.prefix(200)) }
        }
    }

    // MARK: Beginning

    /// Begins a session in `organization`, or in the first that admits the person.
    package func beginSession(
        of user: UUID, in organization: UUID?, from origin: SessionOrigin
    ) async throws -> SessionGrant {
        try await pool.transaction(in: .user(user)) { transaction in
            let organization = try await admitting(
                user, to: organization, bySSO: origin.bySSO, transaction)
            let secret = PresentedSecret.make()
            let now = time.timestamp()
            let grant = SessionGrant(
                session: .make(at: now), user: user, organization: organization, secret: secret.secret,
                expiresAt: now + settings.sessionLifetime)
            try await transaction.execute(
                """
                INSERT INTO sessions (id, user_id, org_id, cookie_digest, by_sso, address, user_agent, created_at,
                    last_used_at, expires_at)
                VALUES (\(grant.session), \(user), \(organization),
                    \(origin.carrier == .cookie ? secret.digest : nil), \(origin.bySSO), \(origin.address),
                    \(origin.userAgent), \(now), \(now), \(grant.expiresAt))
                """)
            if origin.carrier == .tokens {
                try await addRefreshToken(secret, of: grant.session, user, transaction)
            }
            return grant
        }
    }

    /// The organization that a person may work in: the wanted one, or the oldest membership that admits them. The one
    /// place that decides whether single sign-on is asked for.
    private func admitting(
        _ user: UUID, to wanted: UUID?, bySSO: Bool, _ transaction: PostgresTransaction
    ) async throws -> UUID {
        let memberships = try await transaction.query(
            """
            SELECT org_id FROM memberships JOIN organizations ON id = org_id AND deleted_at IS NULL
            WHERE user_id = \(user) ORDER BY memberships.created_at, org_id LIMIT 1000
            """
        ).decode(UUID.self)
        if let wanted, !memberships.contains(wanted) { throw Problem.notFound("organization") }
        for organization in wanted.map({ [$0] }) ?? memberships {
            if try await !enforcesSSO(organization, transaction) || bySSO { return organization }
        }
        throw memberships.isEmpty ? Problem.noOrganization : Problem.ssoRequired
    }

    private func enforcesSSO(
        _ organization: UUID, _ transaction: PostgresTransaction
    ) async throws -> Bool {
        try await transaction.enter(.organization(organization))
        return try await !transaction.query(
            "SELECT FROM sso_connections WHERE org_id = \(organization) AND enforced"
        ).isEmpty
    }

    private func addRefreshToken(
        _ token: PresentedSecret, of session: UUID, _ user: UUID, _ transaction: PostgresTransaction
    ) async throws {
        try await transaction.execute(
            """
            INSERT INTO refresh_tokens (digest, session_id, user_id)
            VALUES (\(token.digest), \(session), \(user))
            """)
    }

    // MARK: Carrying on

    /// Exchanges a refresh token for the next. It is good once: whoever presents it again, thief or owner, ends the
    /// session for both.
    package func refresh(_ text: String) async throws -> SessionGrant {
        guard let token = PresentedSecret(presented: text) else { throw Problem.invalidToken }
        // The transaction must commit what it found, also where that is a theft.
        let grant = try await pool.transaction(in: .token(token.digest)) { transaction in
            try await rotate(token, transaction)
        }
        guard let grant else { throw Problem.invalidToken }
        return grant
    }

    private func rotate(
        _ token: PresentedSecret, _ transaction: PostgresTransaction
    ) async throws -> SessionGrant? {
        let found = try await transaction.query(
            "SELECT session_id, user_id FROM refresh_tokens WHERE digest = \(token.digest)")
        guard let (session, user) = try found.first?.decode((UUID, UUID).self) else { return nil }
        try await transaction.enter(.user(user))
        let used = try await transaction.execute(
            """
            UPDATE refresh_tokens SET used_at = \(time.timestamp())
            WHERE digest = \(token.digest) AND used_at IS NULL
            """)
        guard used == 1 else {
            try await transaction.execute(
                "UPDATE sessions SET revoked_at = \(time.timestamp()) WHERE id = \(session) AND revoked_at IS NULL"
            )
            return nil
        }
        let sessions = try await transaction.query(
            """
            SELECT org_id, expires_at, by_sso FROM sessions
            WHERE id = \(session) AND revoked_at IS NULL AND expires_at > \(time.timestamp())
              AND EXISTS (SELECT FROM users WHERE id = \(user) AND disabled_at IS NULL)
              AND EXISTS (
                SELECT FROM memberships JOIN organizations ON organizations.id = memberships.org_id
                    AND deleted_at IS NULL
                WHERE memberships.org_id = sessions.org_id AND memberships.user_id = \(user))
            """)
        guard let (organization, expiresAt, bySSO) = try sessions.first?.decode((UUID, Timestamp, Bool).self)
        else { return nil }
        if !bySSO, try await enforcesSSO(organization, transaction) { return nil }
        let next = PresentedSecret.make()
        try await addRefreshToken(next, of: session, user, transaction)
        try await transaction.execute(
            "UPDATE sessions SET last_used_at = \(time.timestamp()) WHERE id = \(session)")
        return SessionGrant(
            session: session, user: user, organization: organization, secret: next.secret,
            expiresAt: expiresAt)
    }

    /// Who presents an access token now, as the database knows them at this moment.
    package func principal(presenting token: AccessToken) async throws -> Principal? {
        try await pool.transaction(in: .user(token.user) + .organization(token.organization)) { transaction in
            try await principal(
                of: token.session, user: token.user, in: token.organization, isCookie: false, transaction)
        }
    }

    /// Who presents a browser's cookie.
    package func principal(presentingCookie text: String) async throws -> Principal? {
        guard let cookie = PresentedSecret(presented: text) else { return nil }
        return try await pool.transaction(in: .token(cookie.digest)) { transaction in
            let found = try await transaction.query(
                """
                SELECT id, user_id, org_id FROM sessions
                WHERE cookie_digest = \(cookie.digest)
                  AND last_used_at > \(time.timestamp() + (.zero - Self.cookieIdleLimit))
                """)
            guard let (session, user, organization) = try found.first?.decode((UUID, UUID, UUID).self)
            else { return nil }
            try await transaction.enter(.user(user) + .organization(organization))
            return try await principal(of: session, user: user, in: organization, isCookie: true, transaction)
        }
    }

    private func principal(
        of session: UUID, user: UUID, in organization: UUID, isCookie: Bool,
        _ transaction: PostgresTransaction
    ) async throws -> Principal? {
        let now = time.timestamp()
        let found = try await transaction.query(
            """
            SELECT role, by_sso,
                EXISTS (SELECT FROM operators WHERE operators.user_id = \(user)),
                last_used_at < \(now + (.zero - Self.useGrain)),
                EXISTS (SELECT FROM sso_connections WHERE sso_connections.org_id = \(organization) AND enforced)
            FROM sessions
            JOIN users ON users.id = sessions.user_id AND users.disabled_at IS NULL
            JOIN memberships ON memberships.user_id = users.id AND memberships.org_id = \(organization)
            JOIN organizations ON organizations.id = memberships.org_id AND organizations.deleted_at IS NULL
            WHERE sessions.id = \(session) AND sessions.revoked_at IS NULL AND sessions.expires_at > \(now)
              AND (cookie_digest IS NOT NULL) = \(isCookie)
            """)
        guard
            let (role, bySSO, isOperator, isStale, enforcesSSO) = try found.first?.decode(
                (Role, Bool, Bool, Bool, Bool).self)
        else { return nil }
        if enforcesSSO, !bySSO { throw Problem.ssoRequired }
        if isStale {
            try await transaction.execute(
                "UPDATE sessions SET last_used_at = \(now) WHERE id = \(session)")
        }
        return Principal(
            user: user, organization: organization, role: role, isOperator: isOperator && !bySSO,
            credential: .session(session, isCookie: isCookie, bySSO: bySSO))
    }

    /// Works in another organization from now on. Says when the session ends.
    package func switchSession(_ principal: Principal, to organization: UUID) async throws -> Timestamp {
        guard case .session(let session, _, let bySSO) = principal.credential else {
            throw Problem.invalidToken
        }
        if bySSO { throw Problem.boundToSSO }
        return try await pool.transaction(in: .user(principal.user)) { transaction in
            let organization = try await admitting(
                principal.user, to: organization, bySSO: false, transaction)
            let changed = try await transaction.query(
                "UPDATE sessions SET org_id = \(organization) WHERE id = \(session) RETURNING expires_at")
            guard let end = try changed.first?.decode(Timestamp.self) else { throw Problem.invalidToken }
            return end
        }
    }

    // MARK: Listing and ending

    package func sessions(of user: UUID) async throws -> [Session] {
        try await pool.transaction(in: .user(user), readOnly: true) { transaction in
            try await transaction.query(
                """
                SELECT id, user_id, org_id, cookie_digest IS NOT NULL, by_sso, address, user_agent, created_at,
                    last_used_at, expires_at
                FROM sessions WHERE user_id = \(user) AND revoked_at IS NULL AND expires_at > \(time.timestamp())
                ORDER BY last_used_at DESC, id LIMIT 1000
                """
            ).decode { row throws(PostgresError) in
                let (
                    id, user, organization, isCookie, bySSO, address, userAgent, createdAt, usedAt, expiresAt
                ) =
                    try row.decode(
                        (UUID, UUID, UUID, Bool, Bool, String?, String?, Timestamp, Timestamp, Timestamp)
                            .self)
                return Session(
                    id: id, user: user, organization: organization, isCookie: isCookie, bySSO: bySSO,
                    address: address, userAgent: userAgent, createdAt: createdAt, lastUsedAt: usedAt,
                    expiresAt: expiresAt)
            }
        }
    }

    package func endSession(_ session: UUID, of user: UUID) async throws {
        let count = try await pool.transaction(in: .user(user)) { transaction in
            try await transaction.execute(
                """
                UPDATE sessions SET revoked_at = \(time.timestamp())
                WHERE id = \(session) AND user_id = \(user) AND revoked_at IS NULL
                """)
        }
        guard count == 1 else { throw Problem.notFound("session") }
    }

    /// Ends the session of a refresh token, known or not.
    package func endSession(ofRefreshToken text: String) async throws {
        guard let token = PresentedSecret(presented: text) else { return }
        try await pool.transaction(in: .token(token.digest)) { transaction in
            let found = try await transaction.query(
                "SELECT session_id, user_id FROM refresh_tokens WHERE digest = \(token.digest)")
            guard let (session, user) = try found.first?.decode((UUID, UUID).self) else { return }
            try await transaction.enter(.user(user))
            try await transaction.execute(
                "UPDATE sessions SET revoked_at = \(time.timestamp()) WHERE id = \(session) AND revoked_at IS NULL"
            )
        }
    }
}

extension Problem {
    static let noOrganization = Problem(
        .forbidden, code: "no_organization",
        "This account belongs to no organization. Accept an invitation as you sign in.")
}
