package import Base

/// What operators see of budgets.
package struct BudgetCounters: Sendable {
    /// By state, as the database has them.
    private let counts = Locked<[BudgetWindow.State: Int]>([:])
    private let told: Counter
    private let failed: Counter

    package init(in metrics: Metrics) {
        let counts = counts
        for state in BudgetWindow.State.allCases {
            metrics.gauge(
                "hivegate_budgets",
                "Budgets under way, by whether their first threshold is reached and whether they are spent.",
                ["state": state.rawValue]
            ) { Double(counts.withLock { $0[state] ?? 0 }) }
        }
        told = metrics.counter(
            "hivegate_budget_alerts_total", "Alerts that were told, and deliveries of them that failed.",
            ["outcome": "told"])
        failed = metrics.counter(
            "hivegate_budget_alerts_total", "Alerts that were told, and deliveries of them that failed.",
            ["outcome": "failed"])
    }

    func told(_ count: Int) { told.add(count) }
    func failed(_ count: Int) { failed.add(count) }
    func count(_ found: [BudgetWindow.State: Int]) { counts.withLock { $0 = found } }
}
