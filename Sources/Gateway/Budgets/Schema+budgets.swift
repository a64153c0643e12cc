import Base
import Budgets

/// What the budget routes answer with.
extension Schema {
    static let budgetWindow = Schema.object([
        Field("id", .uuid, "The window, as receipts name it."),
        Field("start", .timestamp, isNullable: true, "From when; null: always."),
        Field("end", .timestamp, isNullable: true, "Up to when; null: for good."),
        Field("amount", .billedAmount, "What may be spent in it."),
        Field("spent", .billedAmount, "What was spent and is in the books."),
        Field("left", .billedAmount, "What is left of it, not counting what is under way."),
        Field(
            "used_percent", .integer(0...Int.max), isNullable: true,
            "What of it is spent, rounded down; null: nothing may be."),
    ]).named("BudgetWindow")

    private static let forecast = Schema.object([
        Field("spent_at_end", .billedAmount, "What will have been spent at the end at the pace so far."),
        Field(
            "exhausted_at", .timestamp, isNullable: true, "When nothing is left; null: not before the end."),
    ]).named("BudgetForecast")

    private static let budgetOverride = Schema.object([
        Field("amount", .billedAmount, "What may be spent meanwhile."),
        Field("until", .timestamp, "Up to when."),
    ]).named("BudgetOverride")

    private static let budgetFields = [
        Field("id", .uuid, "The budget."),
        Field("name", .string(1...200), "As people read it."),
        Field("subject", .string(1...Budget.longestSubject), "Whose requests it is about."),
        Field("period", .choice(of: BudgetPeriod.self), "How long a window is."),
        Field("amount", .billedAmount, "What may be spent in a window."),
        Field("hard", .boolean, "Whether requests are refused that it has no money for."),
        Field(
            "thresholds", .array(of: .integer(1...Budget.highestThreshold), 0...Budget.mostThresholds),
            "When somebody is told, in percent."),
        Field("alert_emails", .array(of: .string(1...254), 0...Budget.mostEmails), "Who is told by mail."),
        Field("webhook_url", .string(1...2000), isNullable: true, "Where it is told by a request."),
        Field("override", budgetOverride, isNullable: true, "What holds instead of the amount for a while."),
        Field("created_by", .uuid, isNullable: true, "Who made it; null: the instance, or a key alone."),
        Field("created_at", .timestamp, "When it was made."),
        Field("archived_at", .timestamp, isNullable: true, "When it ended."),
        Field("window", budgetWindow, isNullable: true, "The present one; null: it has ended."),
        Field(
            "state", .choice(of: BudgetWindow.State.self), isNullable: true,
            "`warned`: the first threshold is reached; `spent`: nothing is left."),
        Field(
            "forecast", forecast, isNullable: true,
            "What the window comes to; null where nothing can be said."),
    ]
    static let budget = Schema.object(budgetFields).named("Budget")

    static let madeBudget = Schema.object(
        budgetFields + [
            Field(
                "webhook_secret", .string(1...100), isNullable: true,
                "What a new webhook is signed with. It is shown this once.")
        ]
    ).named("MadeBudget")

    static let budgetStatus = Schema.object([
        Field(
            "mode", .choice(of: BudgetMode.self),
            "`enforce`: budgets refuse; `shadow`: it is written down whom they would refuse; `off`: they are not asked."
        ),
        Field(
            "enforced_from", .timestamp, isNullable: true,
            "Until then the organization's budgets are in shadow."),
        Field("wallet", budgetWindow, isNullable: true, "What was paid ahead; null: nothing ever."),
        Field("budgets", .array(of: budget, 0...BudgetStore.mostListed), "Those that hold."),
    ]).named("BudgetStatus")

    static let budgetUsage = Schema.object([
        Field("time_zone", .string(1...100), "Where the days begin."),
        Field("total", .billedAmount, "What was spent on all of them."),
        Field(
            "days",
            .array(
                of: .object([
                    Field("date", .string(10...10), "The day."),
                    Field("spent", .billedAmount, "What was spent on it."),
                ]).named("BudgetDay"), 0...BudgetStore.mostDays), "The newest last."),
        Field(
            "windows",
            .array(
                of: .object([
                    Field("budget_id", .uuid, "Whose it is."),
                    Field("name", .string(1...200), "The budget's name."),
                    Field("window", budgetWindow, "The present one."),
                ]).named("BudgetUse"), 0...BudgetStore.mostListed), "What budgets have counted."),
    ]).named("BudgetUsage")

    static let refusals = Schema.object([
        Field("from", .timestamp, "From when."),
        Field("to", .timestamp, "Up to when."),
        Field("calls", .integer(0...Int.max), "How many calls would have been refused."),
        Field("spent", .billedAmount, "What they have cost."),
        Field(
            "data",
            .array(
                of: .object([
                    Field("limit_id", .uuid, "The window."),
                    Field("budget_id", .uuid, isNullable: true, "Whose it is; null: no budget's."),
                    Field("name", .string(1...200), isNullable: true, "The budget's name."),
                    Field("subject", .string(1...300), isNullable: true, "Whose requests it is about."),
                    Field("calls", .integer(0...Int.max), "How many calls."),
                    Field("spent", .billedAmount, "What they have cost."),
                ]).named("BudgetRefusals"), 0...BudgetStore.mostListed), "By limit."),
    ]).named("RefusalReport")
}
