package import Base
import Ledger
import Postgres

/// What the next invoice would ask for, were nothing more used until then.
package struct UpcomingInvoice: Equatable, Sendable {
    /// nil: there is no subscription that asks for it.
    package var at: Timestamp?
    package var lines: [InvoiceLine]
    /// Never below nothing: what is the customer's is kept.
    package var totalCents: Int64 { max(0, lines.reduce(0) { $0 + $1.cents }) }
}

extension BillingStore {
    package func upcomingInvoice(of organization: UUID) async throws -> UpcomingInvoice {
        let stored = try await subscription(of: organization)
        let (balances, asked, kept) = try await pool.transaction(tenant: organization, readOnly: true) {
            transaction in
            let (asked, kept) = try await transaction.query(
                """
                SELECT (SELECT coalesce(sum(total_cents - paid_cents), 0)::bigint FROM invoices
                        WHERE org_id = \(organization) AND status = 'open'),
                    coalesce((SELECT credit_cents FROM billing_accounts WHERE org_id = \(organization)), 0)
                """)[0].decode((Int64, Int64).self)
            return (try await Ledger.balances(of: organization, in: transaction), asked, kept)
        }
        var upcoming = UpcomingInvoice(at: nil, lines: [])
        if let subscription = stored?.subscription, !subscription.status.isEnd {
            upcoming.at = subscription.period.end
            upcoming.lines = subscription.linesOfNextPeriod
        }
        let owed = -(balances[.receivable] ?? 0) / USCents.nanodollars - (asked - kept)
        if owed > 0 { upcoming.lines.append(InvoiceLine(.usage, "Usage so far", cents: owed)) }
        let credit = min(kept, upcoming.totalCents)
        if credit > 0 {
            upcoming.lines.append(InvoiceLine(.credit, "Kept from earlier invoices", cents: -credit))
        }
        return upcoming
    }
}

extension Subscription {
    /// What the period after this one costs, as things stand.
    fileprivate var linesOfNextPeriod: [InvoiceLine] {
        switch status {
        case .trialing, .active, .pastDue: break
        case .incomplete, .unpaid, .paused, .canceled, .incompleteExpired: return []
        }
        if endsWithPeriod { return [] }
        let plan = nextPlan ?? plan
        let anchor = plan.interval == self.plan.interval ? anchor : period.end
        let next = BillingAnchor(anchor, every: plan.interval).period(containing: period.end)
        return [InvoiceLine(.subscription, plan.title, period: next, cents: plan.cents)]
    }
}
