import Admission
package import Base
package import Identity
package import Postgres

/// Budgets in the database.
///
/// Locks are taken in one order: a budget, its windows by their ids (as whoever books use takes them), the organization.
package struct BudgetStore: Sendable {
    package let pool: PostgresPool
    let identity: IdentityStore
    let time: TimeSource

    /// Of one organization, not counting what is archived. Each request looks through all their windows.
    package static let mostBudgets = 100
    /// Archived ones that are listed, and windows of the past.
    package static let mostListed = 1000

    package init(_ pool: PostgresPool, identity: IdentityStore, time: TimeSource = .live) {
        self.pool = pool
        self.identity = identity
        self.time = time
    }

    /// A budget, and what of it is under way.
    package struct Standing: Sendable {
        package let budget: Budget
        /// nil: it is archived.
        package let window: BudgetWindow?

        package func forecast(at now: Timestamp) -> BudgetForecast? {
            window.flatMap { BudgetForecast(of: $0, at: now) }
        }
    }

    /// Those that hold, or those that are archived, in the order in which they were made.
    package func budgets(of organization: UUID, archived: Bool = false) async throws -> [Standing] {
        let now = time.timestamp()
        return try await pool.transaction(tenant: organization, readOnly: true) { transaction in
            try await transaction.query(
                """
                SELECT * FROM (
                    SELECT \(Budget.columns), \(BudgetWindow.columns) FROM \(Self.underway(at: now))
                    WHERE budgets.org_id = \(organization) AND (archived_at IS NOT NULL) = \(archived)
                    ORDER BY budgets.id DESC LIMIT \(Self.mostListed)
                ) AS newest ORDER BY id
                """
            ).decode(Self.standing)
        }
    }

    package func budget(_ id: UUID, of organization: UUID) async throws -> Standing {
        try await pool.transaction(tenant: organization, readOnly: true) { transaction in
            try await standing(of: id, in: organization, transaction)
        }
    }

    /// The windows that were, the newest first; the present one is among them.
    package func history(
        of id: UUID, in organization: UUID, limit: Int
    ) async throws -> [BudgetWindow] {
        let now = time.timestamp()
        return try await pool.transaction(tenant: organization, readOnly: true) { transaction in
            _ = try await standing(of: id, in: organization, transaction)
            return try await transaction.query(
                """
                SELECT \(BudgetWindow.columns) FROM money_limits AS window_limit
                WHERE org_id = \(organization) AND budget_id = \(id)
                    AND (window_start IS NULL OR window_start <= \(now))
                ORDER BY window_start DESC NULLS FIRST LIMIT \(limit)
                """
            ).decode { row throws(PostgresError) in try BudgetWindow(row) }
        }
    }

    // MARK: Inside

    func standing(
        of id: UUID, in organization: UUID, _ transaction: PostgresTransaction
    ) async throws -> Standing {
        let rows = try await transaction.query(
            """
            SELECT \(Budget.columns), \(BudgetWindow.columns) FROM \(Self.underway(at: time.timestamp()))
            WHERE budgets.id = \(id) AND budgets.org_id = \(organization)
            """)
        guard let row = rows.first else { throw Problem.notFound("budget") }
        return try Self.standing(row)
    }

    /// Budgets with the window that `now` is in; one that is archived has none.
    private static func underway(at now: Timestamp) -> SQL {
        """
        budgets LEFT JOIN money_limits AS window_limit ON window_limit.budget_id = budgets.id
            AND window_limit.org_id = budgets.org_id AND archived_at IS NULL
            AND (window_limit.window_start IS NULL OR window_limit.window_start <= \(now))
            AND (window_limit.window_end IS NULL OR window_limit.window_end > \(now))
        """
    }

    private static func standing(_ row: PostgresRow) throws(PostgresError) -> Standing {
        let isThere = try row.decode(UUID?.self, "limit_id") != nil
        return Standing(budget: try Budget(row), window: isThere ? try BudgetWindow(row) : nil)
    }

    /// Locks a budget that is not archived.
    func claim(_ id: UUID, of organization: UUID, _ transaction: PostgresTransaction) async throws -> Budget {
        let rows = try await transaction.query(
            """
            SELECT \(Budget.columns) FROM budgets WHERE id = \(id) AND org_id = \(organization)
            FOR NO KEY UPDATE
            """)
        guard let row = rows.first else { throw Problem.notFound("budget") }
        let budget = try Budget(row)
        if budget.archivedAt != nil { throw Problem.archived }
        return budget
    }

    func system<Value>(
        readOnly: Bool = false, _ body: (PostgresTransaction) async throws -> Value
    ) async throws -> Value {
        try await pool.transaction(readOnly: readOnly) { transaction in
            _ = try await transaction.query("SELECT set_config('app.system', 'on', true)")
            return try await body(transaction)
        }
    }
}
