package import Base
import Postgres

extension IdentityStore {
    package func account(withEmail email: String) async throws -> Account? {
        try await pool.transaction(in: .email(email.lowercased())) { transaction in
            let found = try await transaction.query(
                "SELECT id FROM users WHERE email = \(email.lowercased())")
            guard let user = try found.first?.decode(UUID.self) else { return nil }
            return try await account(user, transaction)
        }
    }

    package func account(_ user: UUID) async throws -> Account? {
        try await pool.transaction(readOnly: true) { try await account(user, $0) }
    }

    /// From here on the transaction sees what is this person's.
    func account(_ user: UUID, _ transaction: PostgresTransaction) async throws -> Account? {
        try await transaction.enter(.user(user))
        let found = try await transaction.query(
            """
            SELECT id, email, name, email_verified_at IS NOT NULL AS verified,
                disabled_at IS NOT NULL AS disabled, created_at, password_hash,
                EXISTS (SELECT FROM totp_devices WHERE user_id = users.id AND confirmed_at IS NOT NULL) AS totp,
                EXISTS (SELECT FROM operators WHERE user_id = users.id) AS operator
            FROM users WHERE id = \(user)
            """)
        guard let row = found.first else { return nil }
        return Account(
            id: user, email: try row.decode(String.self, "email"), name: try row.decode(String?.self, "name"),
            isVerified: try row.decode(Bool.self, "verified"),
            isDisabled: try row.decode(Bool.self, "disabled"),
            createdAt: try row.decode(Timestamp.self, "created_at"),
            passwordHash: try row.decode(String?.self, "password_hash").map(PasswordHash.init(stored:)),
            hasTOTP: try row.decode(Bool.self, "totp"), isOperator: try row.decode(Bool.self, "operator"))
    }

    /// Makes an account; `nil` where the address has one already.
    func addAccount(
        email: String, name: String? = nil, password: PasswordHash?, isVerified: Bool,
        _ transaction: PostgresTransaction
    ) async throws -> UUID? {
        let user = UUID.make(at: time.timestamp())
        try await transaction.enter(.user(user))
        let count = try await transaction.execute(
            """
            INSERT INTO users (id, email, name, password_hash, email_verified_at, password_changed_at)
            VALUES (\(user), \(email.lowercased()), \(name), \(password?.text),
                \(isVerified ? time.timestamp() : nil), \(time.timestamp()))
            ON CONFLICT (email) DO NOTHING
            """)
        return count == 1 ? user : nil
    }

    /// The first account of an instance manages it. The lock is for two that come first at the same time.
    func makeOperatorIfFirst(_ user: UUID, _ transaction: PostgresTransaction) async throws {
        try await transaction.enter(.system)
        let isTaken: SQL = "SELECT EXISTS (SELECT FROM operators)"
        if try await transaction.query(isTaken)[0].decode(Bool.self) { return }
        try await transaction.execute("SELECT pg_advisory_xact_lock(hashtext('hivegate operator'))")
        if try await transaction.query(isTaken)[0].decode(Bool.self) { return }
        try await addOperator(user, by: Actor(.system), transaction)
    }

    func addOperator(_ user: UUID, by actor: Actor, _ transaction: PostgresTransaction) async throws {
        try await transaction.execute(
            "INSERT INTO operators (user_id) VALUES (\(user)) ON CONFLICT DO NOTHING")
        try await audit.record(
            AuditLog.Deed("operator.add", "user", user), by: actor, in: AuditEntry.instance,
            at: time.timestamp(), transaction)
    }

    package func setName(_ name: String?, of user: UUID) async throws {
        try await pool.transaction(in: .user(user)) { transaction in
            _ = try await transaction.execute("UPDATE users SET name = \(name) WHERE id = \(user)")
        }
    }
}
