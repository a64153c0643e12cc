import Base
package import Postgres

extension IdentityStore {
    /// Reads what belongs to the instance.
    package func readInstance<Value>(
        _ read: (PostgresTransaction) async throws -> Value
    ) async throws -> Value {
        try await pool.transaction(in: .system, readOnly: true, read)
    }

    /// Changes what belongs to the instance, and writes down in its audit trail that this was done. `after` is JSON.
    package func changeInstance(
        _ action: String, _ targetKind: String, _ targetID: String, after: String? = nil, by actor: Actor,
        _ change: (PostgresTransaction) async throws -> Void
    ) async throws {
        try await pool.transaction(in: .system) { transaction in
            try await change(transaction)
            try await audit.record(
                AuditLog.Deed(action, targetKind, targetID, after: after), by: actor,
                in: AuditEntry.instance, at: time.timestamp(), transaction)
        }
    }
}
