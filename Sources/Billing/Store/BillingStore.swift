package import Base
package import Identity
package import Postgres

/// Plans, subscriptions and invoices in the database.
///
/// What changes a subscription is one transaction of the instance's: the subscription, its invoices, what they come to in
/// the ledger, the plan of the organization and the history, or nothing.
package struct BillingStore: Sendable {
    package let pool: PostgresPool
    let identity: IdentityStore
    /// Sees to it that somebody is told, in the transaction that says that they were.
    let remind: @Sendable (Reminder, PostgresTransaction) async throws -> Void
    let time: TimeSource

    package init(
        _ pool: PostgresPool, identity: IdentityStore,
        remind: @escaping @Sendable (Reminder, PostgresTransaction) async throws -> Void = { _, _ in },
        time: TimeSource = .live
    ) {
        self.pool = pool
        self.identity = identity
        self.remind = remind
        self.time = time
    }

    @discardableResult
    func system<Value>(
        readOnly: Bool = false, _ body: (PostgresTransaction) async throws -> Value
    ) async throws -> Value {
        try await pool.transaction(readOnly: readOnly) { transaction in
            _ = try await transaction.query("SELECT set_config('app.system', 'on', true)")
            return try await body(transaction)
        }
    }
}
