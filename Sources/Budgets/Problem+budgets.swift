import Base

extension Problem {
    static let archived = Problem(
        .conflict, code: "budget_archived", "This budget is archived, and stays as it is. Make another.")

    static let tooManyBudgets = Problem(
        .conflict, code: "too_many_budgets",
        "The organization has \(BudgetStore.mostBudgets) budgets already. Delete some first.")

    static let limitsFull = Problem(
        .conflict, code: "too_many_budgets",
        "The organization has as many limits on its money as it can have. Delete some budgets first.")

    /// What the document allows, and means nothing.
    static func budget(_ faults: [Fault]) -> Problem { Problem(faults: faults, code: "invalid_budget") }
}
