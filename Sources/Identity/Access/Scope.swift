import Base
import Postgres

/// What a transaction may see, beyond its organization: see the migrations. It ends with the transaction.
struct Scope {
    private var settings: [(name: String, value: String)] = []

    static func user(_ user: UUID) -> Scope { Scope(settings: [("app.user_id", user.description)]) }
    static func email(_ email: String) -> Scope { Scope(settings: [("app.email", email)]) }
    /// The one row that a secret belongs to, by the secret's digest.
    static func token(_ digest: [UInt8]) -> Scope { Scope(settings: [("app.token", String(hex: digest))]) }
    static func key(_ digest: [UInt8]) -> Scope { Scope(settings: [("app.key_digest", String(hex: digest))]) }
    static func organization(_ organization: UUID) -> Scope {
        Scope(settings: [("app.org_id", organization.description)])
    }
    /// Work of the instance itself, for nobody in particular.
    static let system = Scope(settings: [("app.system", "on")])

    static func + (left: Scope, right: Scope) -> Scope { Scope(settings: left.settings + right.settings) }

    /// The statement that opens it.
    var sql: SQL {
        "SELECT \(SQL.joined(settings.map { "set_config(\($0.name), \($0.value), true)" }, by: ", "))"
    }
}

extension PostgresTransaction {
    /// From here to the end of the transaction.
    func enter(_ scope: Scope) async throws { _ = try await query(scope.sql) }
}

extension PostgresPool {
    /// Runs `body` in a transaction that sees what `scope` shows.
    func transaction<Value>(
        in scope: Scope, readOnly: Bool = false, _ body: (PostgresTransaction) async throws -> Value
    ) async throws -> Value {
        try await transaction(readOnly: readOnly) { transaction in
            try await transaction.enter(scope)
            return try await body(transaction)
        }
    }
}
