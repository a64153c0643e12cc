package import Base
package import Postgres

/// Organizations, people, keys and sessions in the database. Works as the application's role, so row-level security
/// holds for everything here as for everything else.
///
/// Each method is one transaction, with its line in the audit trail: all of it happens or nothing.
package struct IdentityStore: Sendable {
    package let pool: PostgresPool
    let peppers: KeyPeppers
    let vault: Vault
    let audit: AuditLog
    let time: TimeSource
    package let settings: Settings
    let timeZones = TimeZoneNames()

    /// What the operator decides.
    package struct Settings: Sendable {
        package var registration = Registration.open
        /// Whether an address must be confirmed before its account can be used.
        package var requiresVerifiedEmail = false
        /// Where people reach this instance: the start of every link in a mail.
        package var publicURL: String
        package var sessionLifetime = Duration.seconds(30 * 86_400)
        /// The plan that a new organization has, where there is such a plan; nil: none, and nothing limits it.
        package var planOfNew: String?

        package init(publicURL: String) { self.publicURL = publicURL }
    }

    /// Who may make an account.
    package enum Registration: String, CaseIterable, Sendable {
        case open, invite, closed
    }

    package init(
        _ pool: PostgresPool, peppers: KeyPeppers, vault: Vault, audit: AuditLog, settings: Settings,
        time: TimeSource = .live
    ) {
        self.pool = pool
        self.peppers = peppers
        self.vault = vault
        self.audit = audit
        self.settings = settings
        self.time = time
    }

    /// Runs `body` for a person in an organization: it sees what is either's.
    func transaction<Value>(
        of organization: UUID, by user: UUID?, readOnly: Bool = false,
        _ body: (PostgresTransaction) async throws -> Value
    ) async throws -> Value {
        var scope = Scope.organization(organization)
        if let user { scope = scope + .user(user) }
        return try await pool.transaction(in: scope, readOnly: readOnly, body)
    }

    /// Writes down what somebody did to what is another slice's, in the transaction that does it.
    ///
    /// - Parameter organization: nil: it is the instance's.
    package func note(
        _ action: String, on kind: String, _ id: some CustomStringConvertible, after: [UInt8]? = nil,
        in organization: UUID?, by actor: Actor, _ transaction: PostgresTransaction
    ) async throws {
        try await audit.record(
            AuditLog.Deed(action, kind, id, after: after.map { String(decoding: $0, as: UTF8.self) }),
            by: actor, in: organization ?? AuditEntry.instance, at: time.timestamp(), transaction)
    }

    /// What processes remember of the organization's keys is wrong from now on. Says the new generation, to be
    /// announced once the transaction has committed.
    package func raiseKeyGeneration(
        of organization: UUID, _ transaction: PostgresTransaction
    ) async throws -> KeyChange {
        let rows = try await transaction.query(
            """
            UPDATE organizations SET key_generation = key_generation + 1 WHERE id = \(organization)
            RETURNING key_generation
            """)
        guard let generation = try rows.first?.decode(Int64.self) else {
            throw Problem.notFound("organization")
        }
        return KeyChange(organization: organization, generation: generation)
    }
}

/// Something after which no process may trust what it remembers of an organization's keys. Whoever made the change
/// announces it before they answer.
package struct KeyChange: Equatable, Sendable {
    package let organization: UUID
    package let generation: Int64
}
