import Admission
import Base
import Billing
import Catalog
import JSON

/// What the billing routes answer with.
extension JSONWriter {
    mutating func amount(_ name: StaticString, _ nanodollars: Int64) {
        object(name) { json in
            json.field("nano", String(nanodollars))
            let dollars = String(
                decoding: DollarText.bytes(Int(nanodollars.magnitude), places: 9), as: UTF8.self)
            json.field("usd", nanodollars < 0 ? "-\(dollars)" : dollars)
        }
    }

    mutating func amount(_ name: StaticString, cents: Int64) { amount(name, cents * USCents.nanodollars) }

    mutating func fields(of plan: Plan) {
        field("name", plan.name)
        field("title", plan.title)
        field("price_cents", Int(plan.cents))
        field("interval", plan.interval.rawValue)
        field("limits", raw: plan.limits.json)
        field("trial_days", plan.trialDays)
        field("models_per_request", plan.modelsPerRequest)
        if let models = plan.models { array("models", models) } else { null("models") }
        array("features", plan.features)
        if let commission = plan.commission {
            object("commission") { json in
                json.field("basis_points", commission.points)
                json.field("mode", commission.mode.rawValue)
            }
        } else {
            key("commission")
            null()
        }
        field("custom", plan.isCustom)
        field("position", plan.position)
        amount("price", cents: plan.cents)
        field("archived", plan.isArchived)
        field("source", plan.source.rawValue)
    }

    private mutating func subscribedPlan(_ name: StaticString, _ plan: SubscribedPlan?) {
        guard let plan else {
            key(name)
            return null()
        }
        object(name) { json in
            json.field("name", plan.name)
            json.field("title", plan.title)
            json.amount("price", cents: plan.cents)
            json.field("interval", plan.interval.rawValue)
        }
    }

    mutating func fields(of stored: StoredSubscription, at now: Timestamp) {
        let subscription = stored.subscription
        field("id", subscription.id.description)
        field("organization_id", subscription.organization.description)
        field("status", subscription.status.rawValue)
        subscribedPlan("plan", subscription.plan)
        subscribedPlan("next_plan", subscription.nextPlan)
        field("plan_in_force", subscription.planInForce(at: now))
        field("period_start", subscription.period.start.description)
        field("period_end", subscription.period.end.description)
        field("trial_end", subscription.trialEnd?.description)
        field("grace_until", subscription.graceUntil?.description)
        field("owed_since", subscription.owedSince?.description)
        field("cancel_at_period_end", subscription.endsWithPeriod)
        field("ended_at", subscription.endedAt?.description)
        field("created_at", subscription.createdAt.description)
        field("version", Int(stored.version))
    }

    mutating func lines(_ lines: [InvoiceLine]) {
        array("lines") { json in
            for line in lines {
                json.object { json in
                    json.field("kind", line.kind.rawValue)
                    json.field("text", line.text)
                    json.field("period_start", line.period?.start.description)
                    json.field("period_end", line.period?.end.description)
                    json.amount("amount", cents: line.cents)
                }
            }
        }
    }

    mutating func fields(of invoice: Invoice) {
        field("id", invoice.id.description)
        field("organization_id", invoice.organization.description)
        field("subscription_id", invoice.subscription?.description)
        field("number", invoice.number.map { Int($0) })
        field("status", invoice.status.rawValue)
        field("bill_to", invoice.billTo)
        lines(invoice.lines)
        amount("total", cents: invoice.totalCents)
        amount("paid", cents: invoice.paidCents)
        amount("rest", cents: invoice.restCents)
        field("created_at", invoice.createdAt.description)
        field("opened_at", invoice.openedAt?.description)
        field("due_at", invoice.dueAt?.description)
        field("closed_at", invoice.closedAt?.description)
    }
}
