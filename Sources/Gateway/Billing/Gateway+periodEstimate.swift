import Analytics
import Base
import Billing
import Budgets
import Identity
import JSON

/// The handlers of `PeriodEstimateEndpoints`.
extension Gateway {
    func showPlanLimits(_ call: APICall) async throws -> Reply {
        let rights = try await terms(of: call.principal)?.planRights
        return try await showEffectiveLimits(call) { json in
            json.field("models_per_request", rights?.modelsPerRequest)
            json.array("features", rights?.features ?? [])
        }
    }

    func estimatePeriod(_ call: APICall) async throws -> Reply {
        let organization = call.principal.organization
        let subscription = try await billing?.store.subscription(of: organization)?.subscription
        let paid = subscription.flatMap { $0.status.isEnd || !$0.period.contains(call.now) ? nil : $0 }
        let (start, end, usage) = try await usage(of: organization, in: paid?.period, at: call.now)
        let forecast = Self.forecast(usage, from: start, to: end, at: call.now)
        let price = paid.map { $0.isCharged ? $0.plan.cents * USCents.nanodollars : 0 } ?? 0
        return .json { json in
            json.field("from", start.description)
            json.field("to", end.description)
            json.field("plan", paid?.plan.name)
            json.amount("plan_price", price)
            json.amount("usage", usage)
            json.amount("usage_forecast", forecast)
            json.amount("total", price.addingOrMost(usage))
            json.amount("total_forecast", price.addingOrMost(forecast))
        }
    }

    /// What a period comes to if it goes on as until now. Of a first request in its first minute nothing follows for all of it:
    /// an hour has passed at least.
    static func forecast(_ usage: Int64, from start: Timestamp, to end: Timestamp, at now: Timestamp) -> Int64
    {
        let length = end.seconds - start.seconds
        let passed = max(now.seconds - start.seconds, 3600)
        return passed < length ? BudgetForecast.nanodollars(usage, after: passed, of: length) : usage
    }

    /// What was charged in a period until now; nil: in the month of the organization's zone.
    private func usage(
        of organization: UUID, in period: BillingPeriod?, at now: Timestamp
    ) async throws -> (start: Timestamp, end: Timestamp, nanodollars: Int64) {
        if let period {
            let totals = try await analytics.totals(of: organization, from: period.start, to: now)
            return (period.start, period.end, totals.charge)
        }
        let months = try await analytics.months(of: organization, until: now).months
        return (months[0].start, months[0].end, months[0].totals.charge)
    }
}

extension Subscription {
    /// Whether its present period costs what its plan does.
    fileprivate var isCharged: Bool {
        switch status {
        case .active, .pastDue, .unpaid, .incomplete: true
        case .trialing, .paused, .canceled, .incompleteExpired: false
        }
    }
}

extension Int64 {
    fileprivate func addingOrMost(_ other: Int64) -> Int64 {
        let (sum, overflows) = addingReportingOverflow(other)
        return overflows ? .max : sum
    }
}
