import Admission
import Base
import Identity
import Postgres

/// What time does to budgets. Each of these does some of what is due, in a transaction of which only one process has one at
/// a time, and says whether there may be more.
extension BudgetStore {
    /// What was done, and what to tell others of it once it holds.
    struct Upkeep: Sendable {
        var changes: [KeyChange] = []
        /// Windows in which less may be spent than before.
        var lowered: [(organization: UUID, limits: [UUID])] = []
        var failures: [(id: UUID, error: any Error)] = []
        var hasMore = false
    }

    static let batch = 100
    /// Of those for which much may have to be read.
    static let batchOfCounts = 10

    /// Runs `body` unless another process is at it; nil: it is.
    func alone<Value>(_ body: (PostgresTransaction) async throws -> Value) async throws -> Value? {
        try await system { transaction in
            let isAlone = try await transaction.query(
                "SELECT pg_try_advisory_xact_lock(hashtextextended('hivegate budgets', 0))"
            )[0].decode(Bool.self)
            return isAlone ? try await body(transaction) : nil
        }
    }

    /// Gives organizations a monthly budget that never had one.
    func makeDefaults(nanodollars: Int64) async throws -> Upkeep? {
        try await alone { transaction in
            let organizations = try await transaction.query(
                """
                SELECT id FROM organizations WHERE deleted_at IS NULL AND NOT EXISTS (
                    SELECT FROM budgets
                    WHERE org_id = organizations.id AND budgets.subject = 'organization' AND period = 'month'
                ) ORDER BY random() LIMIT \(Self.batchOfCounts)
                """
            ).decode(UUID.self)
            return try await each(organizations, limit: Self.batchOfCounts, { $0 }, transaction) {
                organization, upkeep, transaction in
                let made = try await create(
                    NewBudget("Monthly budget", each: .month, nanodollars: nanodollars), of: organization,
                    by: .system, transaction)
                upkeep.changes.append(made.keyChange)
            }
        }
    }

    /// Makes the windows of now and those behind them where they lack.
    func keepWindows() async throws -> Upkeep? {
        let now = time.timestamp()
        return try await alone { transaction in
            let due = try await transaction.query(
                """
                SELECT \(Budget.columns) FROM budgets JOIN organizations ON organizations.id = budgets.org_id
                WHERE archived_at IS NULL AND period <> 'total' AND organizations.deleted_at IS NULL
                    AND NOT EXISTS (
                        SELECT FROM money_limits WHERE budget_id = budgets.id AND window_start > \(now))
                ORDER BY random() LIMIT \(Self.batch)
                """
            ).decode { row throws(PostgresError) in try Budget(row) }
            return try await each(due, \.id, transaction) { known, upkeep, transaction in
                let budget = try await claim(known.id, of: known.organization, transaction)
                let end = try await transaction.query(
                    "SELECT max(window_end) FROM money_limits WHERE budget_id = \(budget.id)"
                )[0].decode(Timestamp?.self)
                let windows = try await lackingWindows(of: budget, behind: end, at: now, transaction)
                try await insert(windows, of: budget, transaction)
                upkeep.changes.append(
                    try await identity.raiseKeyGeneration(of: budget.organization, transaction))
            }
        }
    }

    /// Ends overrides whose time is over.
    func endOverrides() async throws -> Upkeep? {
        let now = time.timestamp()
        return try await alone { transaction in
            let due = try await transaction.query(
                """
                SELECT id, org_id FROM budgets WHERE override_until <= \(now) AND archived_at IS NULL
                ORDER BY override_until LIMIT \(Self.batch)
                """
            ).decode((UUID, UUID).self)
            return try await each(due, \.0, transaction) { place, upkeep, transaction in
                var budget = try await claim(place.0, of: place.1, transaction)
                // It may have been given more time meanwhile.
                guard let until = budget.override?.until, until <= now else { return }
                budget.override = nil
                let lowered = try await writeOverride(of: budget, transaction)
                if !lowered.isEmpty { upkeep.lowered.append((budget.organization, lowered)) }
            }
        }
    }

    /// Counts anew what windows that were made late have in them of calls that did not know them: once when what was on its
    /// way is in the books, and once when what was under way is.
    func recount() async throws -> Upkeep? {
        let now = time.timestamp()
        return try await alone { transaction in
            let due = try await transaction.query(
                """
                SELECT \(Budget.columns), \(BudgetWindow.columns), window_limit.created_at AS made_at
                FROM money_limits AS window_limit JOIN budgets ON budgets.id = window_limit.budget_id
                WHERE recount_at <= \(now) ORDER BY recount_at LIMIT \(Self.batchOfCounts)
                """
            ).decode { row throws(PostgresError) in
                (try Budget(row), try BudgetWindow(row), try row.decode(Timestamp.self, "made_at"))
            }
            return try await each(due, limit: Self.batchOfCounts, \.1.id, transaction) {
                window, _, transaction in
                let (budget, window, madeAt) = window
                let used = try await used(
                    by: budget, in: window.range, madeAt: madeAt, limit: window.id, transaction)
                let last = madeAt + Self.longestCall + Self.patience
                // What calls that knew it have paid is added by whoever books it; this is what the others have.
                try await transaction.execute(
                    """
                    UPDATE money_limits SET settled_nano = settled_nano - opening_nano + \(used),
                        opening_nano = \(used), recount_at = \(now < last ? last : nil)
                    WHERE id = \(window.id)
                    """)
            }
        }
    }

    /// Each in a transaction within the transaction: what goes wrong with one keeps no other up.
    private func each<Element>(
        _ due: [Element], limit: Int = Self.batch, _ id: (Element) -> UUID,
        _ transaction: PostgresTransaction,
        _ body: (Element, inout Upkeep, PostgresTransaction) async throws -> Void
    ) async throws -> Upkeep {
        var upkeep = Upkeep()
        for element in due {
            do {
                try await transaction.nested { try await body(element, &upkeep, $0) }
            } catch {
                try Task.checkCancellation()
                upkeep.failures.append((id(element), error))
            }
        }
        upkeep.hasMore = due.count == limit && upkeep.failures.isEmpty
        return upkeep
    }
}
