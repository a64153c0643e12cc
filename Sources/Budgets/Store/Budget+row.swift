import Admission
import Base
import Postgres

extension BudgetPeriod: PostgresCodable {}

extension Budget {
    static let columns: SQL = """
        budgets.id, budgets.org_id, budgets.name, budgets.subject, budgets.period, budgets.amount_nano, budgets.is_soft,
        budgets.thresholds, budgets.alert_emails, budgets.webhook_url, budgets.override_nano, budgets.override_until,
        budgets.created_by, budgets.created_at, budgets.archived_at
        """

    init(_ row: PostgresRow) throws(PostgresError) {
        let text = try row.decode(String.self, "subject")
        guard let subject = LimitSubject(ofMoney: text) else {
            throw PostgresError(.decoding, "the subject of a budget that cannot be read")
        }
        let amount = try row.decode(Int64?.self, "override_nano")
        let until = try row.decode(Timestamp?.self, "override_until")
        var override: Override?
        if let amount, let until { override = Override(nanodollars: amount, until: until) }
        self.init(
            id: try row.decode(UUID.self, "id"), organization: try row.decode(UUID.self, "org_id"),
            name: try row.decode(String.self, "name"), subject: subject,
            period: try row.decode(BudgetPeriod.self, "period"),
            nanodollars: try row.decode(Int64.self, "amount_nano"),
            isSoft: try row.decode(Bool.self, "is_soft"),
            thresholds: try row.decode([Int64].self, "thresholds").map(Int.init),
            emails: try row.decode([String].self, "alert_emails"),
            webhookURL: try row.decode(String?.self, "webhook_url"), override: override,
            creator: try row.decode(UUID?.self, "created_by"),
            createdAt: try row.decode(Timestamp.self, "created_at"),
            archivedAt: try row.decode(Timestamp?.self, "archived_at"))
    }
}

extension BudgetWindow {
    /// Of `money_limits`, as `window_limit`.
    static let columns: SQL = """
        window_limit.id AS limit_id, window_limit.window_start, window_limit.window_end, window_limit.cap_nano,
        window_limit.settled_nano, window_limit.granted_nano
        """

    init(_ row: PostgresRow) throws(PostgresError) {
        let start = try row.decode(Timestamp?.self, "window_start")
        let end = try row.decode(Timestamp?.self, "window_end")
        var range: Range<Timestamp>?
        if let start, let end { range = start..<end }
        self.init(
            id: try row.decode(UUID.self, "limit_id"), range: range,
            cap: try row.decode(Int64.self, "cap_nano"), spent: try row.decode(Int64.self, "settled_nano"),
            granted: try row.decode(Int64.self, "granted_nano"))
    }
}
