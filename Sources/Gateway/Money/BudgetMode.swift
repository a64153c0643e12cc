/// What becomes of requests that a budget has no money for.
package enum BudgetMode: String, CaseIterable, Sendable {
    /// Budgets are not asked.
    case off
    /// They go on, and it is written down that they would have been refused.
    case shadow
    /// They are refused.
    case enforce
}
