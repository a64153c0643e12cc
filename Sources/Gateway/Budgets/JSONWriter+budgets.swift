import Admission
import Base
import Budgets
import JSON

/// What the budget routes answer with.
extension JSONWriter {
    mutating func fields(of window: BudgetWindow) {
        field("id", window.id.description)
        field("start", window.range?.lowerBound.description)
        field("end", window.range?.upperBound.description)
        amount("amount", window.cap)
        amount("spent", window.spent)
        amount("left", window.left)
        field("used_percent", window.usedPercent)
    }

    mutating func window(_ name: StaticString, _ window: BudgetWindow?) {
        guard let window else { return nothing(name) }
        object(name) { json in json.fields(of: window) }
    }

    mutating func fields(of standing: BudgetStore.Standing, at now: Timestamp) {
        let budget = standing.budget
        field("id", budget.id.description)
        field("name", budget.name)
        field("subject", budget.subject.text)
        field("period", budget.period.rawValue)
        amount("amount", budget.nanodollars)
        field("hard", !budget.isSoft)
        array("thresholds", budget.thresholds)
        array("alert_emails", budget.emails)
        field("webhook_url", budget.webhookURL)
        if let override = budget.override {
            object("override") { json in
                json.amount("amount", override.nanodollars)
                json.field("until", override.until.description)
            }
        } else {
            nothing("override")
        }
        field("created_by", budget.creator?.description)
        field("created_at", budget.createdAt.description)
        field("archived_at", budget.archivedAt?.description)
        window("window", standing.window)
        field("state", standing.window?.state(thresholds: budget.thresholds).rawValue)
        if let forecast = standing.forecast(at: now) {
            object("forecast") { json in
                json.amount("spent_at_end", forecast.nanodollars)
                json.field("exhausted_at", forecast.exhaustedAt?.description)
            }
        } else {
            nothing("forecast")
        }
    }

    private mutating func nothing(_ name: StaticString) {
        key(name)
        null()
    }
}
