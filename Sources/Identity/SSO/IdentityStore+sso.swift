package import Base
import Postgres

extension IdentityStore {
    package func ssoConnection(of organization: UUID) async throws -> SSOConnection {
        try await pool.transaction(in: .organization(organization), readOnly: true) { transaction in
            guard let found = try await connection(of: organization, transaction) else {
                throw Problem.notFound("single sign-on")
            }
            return found
        }
    }

    private func connection(
        of organization: UUID, forUpdate: Bool = false, _ transaction: PostgresTransaction
    ) async throws -> SSOConnection? {
        try await transaction.query(
            """
            SELECT \(SSOConnection.columns) FROM sso_connections
            WHERE org_id = \(organization) \(forUpdate ? "FOR UPDATE" : "" as SQL)
            """
        ).first.map { try SSOConnection($0) }
    }

    /// Sets whom the organization trusts. A secret is only ever sent to the provider that it was given for, so another
    /// provider needs another secret; and the sessions that the former has vouched for end.
    package func setSSO(
        _ new: NewSSOConnection, of organization: UUID, by actor: Actor
    ) async throws -> SSOConnection {
        try await transaction(of: organization, by: actor.user) { transaction in
            // Also waits for another who sets the first one at the same time.
            try await transaction.execute("SELECT FROM organizations WHERE id = \(organization) FOR UPDATE")
            let before = try await connection(of: organization, forUpdate: true, transaction)
            if new.isEnforced { try await refuseUntried(new.issuer, of: organization, transaction) }
            if let before {
                try await change(before, to: new, transaction)
                if before.issuer != new.issuer {
                    // Whoever is at the old provider must not bring its code to the new one.
                    try await transaction.execute("DELETE FROM sso_attempts WHERE org_id = \(organization)")
                    try await endSSOSessions(in: organization, transaction)
                }
            } else {
                try await add(new, to: organization, transaction)
            }
            guard let after = try await connection(of: organization, transaction) else {
                throw Problem.notFound("single sign-on")
            }
            try await record("sso.set", after, before: before, after: after, by: actor, transaction)
            return after
        }
    }

    private func add(
        _ new: NewSSOConnection, to organization: UUID, _ transaction: PostgresTransaction
    ) async throws {
        guard let secret = new.clientSecret else { throw Problem.noClientSecret }
        let id = UUID.make(at: time.timestamp())
        let sealed = vault.seal(Array(secret.reveal().utf8), at: .singleSignOn(id, of: organization))
        try await transaction.execute(
            """
            INSERT INTO sso_connections (id, org_id, issuer, client_id, sealed, wrapped_key, master_version,
                default_role, enforced, created_at, updated_at)
            VALUES (\(id), \(organization), \(new.issuer), \(new.clientID), \(sealed.sealed), \(sealed.wrappedKey),
                \(sealed.masterVersion), \(new.defaultRole), \(new.isEnforced), \(time.timestamp()),
                \(time.timestamp()))
            """)
    }

    private func change(
        _ before: SSOConnection, to new: NewSSOConnection, _ transaction: PostgresTransaction
    ) async throws {
        if let secret = new.clientSecret {
            let sealed = vault.seal(
                Array(secret.reveal().utf8), at: .singleSignOn(before.id, of: before.organization))
            try await transaction.execute(
                """
                UPDATE sso_connections SET sealed = \(sealed.sealed), wrapped_key = \(sealed.wrappedKey),
                    master_version = \(sealed.masterVersion)
                WHERE id = \(before.id)
                """)
        } else if before.issuer != new.issuer {
            throw Problem.noClientSecret
        }
        try await transaction.execute(
            """
            UPDATE sso_connections SET issuer = \(new.issuer), client_id = \(new.clientID),
                default_role = \(new.defaultRole), enforced = \(new.isEnforced), updated_at = \(time.timestamp())
            WHERE id = \(before.id)
            """)
    }

    /// Nobody locks themselves out: somebody must have come this way before it can be the only one.
    private func refuseUntried(
        _ issuer: String, of organization: UUID, _ transaction: PostgresTransaction
    ) async throws {
        let found = try await transaction.query(
            "SELECT FROM sso_identities WHERE org_id = \(organization) AND issuer = \(issuer) LIMIT 1")
        guard found.isEmpty else { return }
        throw Problem(
            .conflict, code: "sso_untried",
            "Nobody has signed in through this provider yet. Sign in through it once, then enforce it.",
            field: "enforced")
    }

    package func removeSSO(of organization: UUID, by actor: Actor) async throws {
        try await transaction(of: organization, by: actor.user) { transaction in
            guard let before = try await connection(of: organization, forUpdate: true, transaction) else {
                throw Problem.notFound("single sign-on")
            }
            try await transaction.execute("DELETE FROM sso_attempts WHERE org_id = \(organization)")
            try await transaction.execute("DELETE FROM sso_identities WHERE org_id = \(organization)")
            try await transaction.execute("DELETE FROM sso_connections WHERE id = \(before.id)")
            try await endSSOSessions(in: organization, transaction)
            try await record("sso.remove", before, before: before, after: nil, by: actor, transaction)
        }
    }

    /// Lets members in by their passwords again. For when the provider is away for good.
    package func stopEnforcingSSO(of organization: UUID, by actor: Actor) async throws {
        try await transaction(of: organization, by: actor.user) { transaction in
            guard let before = try await connection(of: organization, forUpdate: true, transaction) else {
                throw Problem.notFound("single sign-on")
            }
            try await transaction.execute(
                """
                UPDATE sso_connections SET enforced = false, updated_at = \(time.timestamp())
                WHERE id = \(before.id)
                """)
            var after = before
            after.isEnforced = false
            try await record("sso.set", after, before: before, after: after, by: actor, transaction)
        }
    }

    /// The last thing that a transaction sees to: it sees everything from here on.
    private func endSSOSessions(in organization: UUID, _ transaction: PostgresTransaction) async throws {
        try await transaction.enter(.system)
        try await transaction.execute(
            """
            UPDATE sessions SET revoked_at = \(time.timestamp())
            WHERE org_id = \(organization) AND by_sso AND revoked_at IS NULL
            """)
    }

    private func record(
        _ action: String, _ connection: SSOConnection, before: SSOConnection?, after: SSOConnection?,
        by actor: Actor, _ transaction: PostgresTransaction
    ) async throws {
        func description(_ connection: SSOConnection) -> String {
            Self.json([
                "issuer": connection.issuer, "client_id": connection.clientID,
                "default_role": connection.defaultRole.rawValue,
                "enforced": connection.isEnforced ? "true" : "false",
            ])
        }
        try await audit.record(
            AuditLog.Deed(
                action, "sso", connection.id, before: before.map(description), after: after.map(description)),
            by: actor, in: connection.organization, at: time.timestamp(), transaction)
    }
}

extension SSOConnection {
    fileprivate static let columns: SQL =
        "id, org_id, issuer, client_id, default_role, enforced, created_at, updated_at"

    fileprivate init(_ row: PostgresRow) throws(PostgresError) {
        let (id, organization, issuer, clientID, role, isEnforced, createdAt, updatedAt) = try row.decode(
            (UUID, UUID, String, String, Role, Bool, Timestamp, Timestamp).self)
        self.init(
            id: id, organization: organization, issuer: issuer, clientID: clientID, defaultRole: role,
            isEnforced: isEnforced, createdAt: createdAt, updatedAt: updatedAt)
    }
}
