package import Base
import Postgres

/// What those who manage the instance itself may do. Nothing here is about one organization.
extension IdentityStore {
    /// All accounts, page by page.
    package func allAccounts(after last: UUID?, limit: Int) async throws -> [Account] {
        try await pool.transaction(in: .system, readOnly: true) { transaction in
            try await transaction.query(
                """
                SELECT \(Account.summaryColumns) FROM users WHERE \(last)::uuid IS NULL OR id > \(last) ORDER BY id LIMIT \(limit)
                """
            ).decode(Account.summary)
        }
    }

    /// Shuts an account out, or lets it in again. Its sessions end, and its keys admit nobody meanwhile.
    package func setDisabled(_ isDisabled: Bool, _ user: UUID, by actor: Actor) async throws -> [KeyChange] {
        try await pool.transaction(in: .system) { transaction in
            let count = try await transaction.execute(
                """
                UPDATE users SET disabled_at = \(isDisabled ? time.timestamp() : nil)
                WHERE id = \(user) AND (disabled_at IS NULL) = \(isDisabled)
                """)
            guard count == 1 else { throw Problem.notFound("account") }
            if isDisabled {
                try await transaction.execute(
                    """
                    UPDATE sessions SET revoked_at = \(time.timestamp())
                    WHERE user_id = \(user) AND revoked_at IS NULL
                    """)
            }
            try await audit.record(
                AuditLog.Deed(isDisabled ? "account.disable" : "account.enable", "user", user), by: actor,
                in: AuditEntry.instance, at: time.timestamp(), transaction)
            return try await raiseKeyGenerations(ofOrganizationsOf: user, transaction)
        }
    }

    private func raiseKeyGenerations(
        ofOrganizationsOf user: UUID, _ transaction: PostgresTransaction
    ) async throws -> [KeyChange] {
        let organizations = try await transaction.query(
            "SELECT org_id FROM memberships WHERE user_id = \(user) ORDER BY org_id"
        ).decode(UUID.self)
        var changes: [KeyChange] = []
        for organization in organizations {
            changes.append(try await raiseKeyGeneration(of: organization, transaction))
        }
        return changes
    }

    package func operators() async throws -> [Account] {
        try await pool.transaction(in: .system, readOnly: true) { transaction in
            try await transaction.query(
                """
                SELECT \(Account.summaryColumns) FROM users
                WHERE EXISTS (SELECT FROM operators WHERE user_id = users.id) ORDER BY id
                """
            ).decode(Account.summary)
        }
    }

    package func addOperator(_ user: UUID, by actor: Actor) async throws {
        try await pool.transaction(in: .system) { transaction in
            let found = try await transaction.query(
                "SELECT FROM users WHERE id = \(user) AND disabled_at IS NULL")
            guard !found.isEmpty else { throw Problem.notFound("account") }
            try await addOperator(user, by: actor, transaction)
        }
    }

    /// The last one stays: somebody must manage the instance.
    package func removeOperator(_ user: UUID, by actor: Actor) async throws {
        try await pool.transaction(in: .system) { transaction in
            try await transaction.execute("SELECT pg_advisory_xact_lock(hashtext('hivegate operator'))")
            let operators = try await transaction.query("SELECT user_id FROM operators").decode(UUID.self)
            guard operators.contains(user) else { throw Problem.notFound("operator") }
            guard operators.count > 1 else {
                throw Problem(
                    .conflict, code: "last_operator", "An instance needs an operator. Add another one first.")
            }
            try await transaction.execute("DELETE FROM operators WHERE user_id = \(user)")
            try await audit.record(
                AuditLog.Deed("operator.remove", "user", user), by: actor, in: AuditEntry.instance,
                at: time.timestamp(), transaction)
        }
    }
}

extension Account {
    /// All but the password.
    fileprivate static let summaryColumns: SQL = """
        id, email, name, email_verified_at IS NOT NULL, disabled_at IS NOT NULL, created_at,
        EXISTS (SELECT FROM totp_devices WHERE user_id = users.id AND confirmed_at IS NOT NULL),
        EXISTS (SELECT FROM operators WHERE user_id = users.id)
        """

    fileprivate static func summary(_ row: PostgresRow) throws(PostgresError) -> Account {
        let (id, email, name, isVerified, isDisabled, createdAt, hasTOTP, isOperator) = try row.decode(
            (UUID, String, String?, Bool, Bool, Timestamp, Bool, Bool).self)
        return Account(
            id: id, email: email, name: name, isVerified: isVerified, isDisabled: isDisabled,
            createdAt: createdAt, passwordHash: nil, hasTOTP: hasTOTP, isOperator: isOperator)
    }
}
