import Admission
import Base
import Billing
import Catalog
import JSON

/// The handlers of `PlanEndpoints`.
extension Gateway {
    func listPlans(withArchived: Bool) async throws -> Reply {
        let plans = try await requireBilling().store.plans(withArchived: withArchived)
        return .json { json in json.list(plans) { json, plan in json.fields(of: plan) } }
    }

    func setPlan(_ call: APICall) async throws -> Reply {
        let billing = try requireBilling()
        let fields = call.fields
        let rules = try fields.value("limits").map { value throws(Problem) in
            try LimitRules(json: Array(value.bytes), at: "limits")
        }
        var plan = Plan(
            call.text("plan"), fields.string("title"), cents: Int64(fields.integer("price_cents")),
            every: fields.choice("interval", as: BillingInterval.self), limits: rules ?? LimitRules())
        plan.trialDays = fields.integer("trial_days")
        plan.modelsPerRequest = fields.optionalInteger("models_per_request")
        plan.models = fields.optionalStrings("models")
        plan.features = fields.strings("features")
        plan.commission = fields.optionalFields("commission").map {
            Commission(
                points: $0.integer("basis_points"), $0.choice("mode", as: Commission.Mode.self))
        }
        plan.isCustom = fields.bool("custom")
        plan.position = fields.integer("position")
        try await billing.store.save(plan, by: call.actor)
        return try await showPlan(call, billing)
    }

    func deletePlan(_ call: APICall) async throws -> Reply {
        try await requireBilling().store.deletePlan(call.text("plan"), by: call.actor)
        return .empty()
    }

    func archivePlan(_ call: APICall) async throws -> Reply {
        let billing = try requireBilling()
        var plan = try await billing.store.plan(call.text("plan"))
        plan.isArchived = true
        try await billing.store.save(plan, by: call.actor)
        return try await showPlan(call, billing)
    }

    private func showPlan(_ call: APICall, _ billing: BillingServices) async throws -> Reply {
        let plan = try await billing.store.plan(call.text("plan"))
        return .json { json in json.fields(of: plan) }
    }
}
