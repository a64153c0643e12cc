import Admission
import Base
import Billing
import Catalog
import Identity
import Postgres
import Testing

struct PlanTests {
    @Test func `the usual plans cost and limit what they should`() async throws {
        try await BillingWorld.run { world in
            let plans = try await world.store.plans()
            #expect(plans == PlanPreset.unified.plans)
            #expect(plans.map(\.name) == ["free", "starter", "pro", "enterprise"])
            #expect(plans.map(\.cents) == [0, 1000, 2999, 19_999])
            #expect(plans.map(\.modelsPerRequest) == [2, 3, 5, 10])
            #expect(plans[3].features == ["sso", "audit_export"])
            let limits = plans.map { String(decoding: $0.limits.json, as: UTF8.self) }
            #expect(
                limits[0]
                    == #"{"organization":{"requests_per_minute":10,"requests_per_month":100,"tokens_per_month":100000}}"#
            )
            #expect(limits[3] == #"{"organization":{"requests_per_minute":1000}}"#)
        }
    }

    @Test(arguments: PlanPreset.allCases)
    func `every preset can be stored, and comes back as it was`(preset: PlanPreset) async throws {
        #expect(preset.plans.flatMap(\.faults) == [])
        #expect(preset.plans[0].name == Subscription.fallbackPlan && preset.plans[0].cents == 0)
        try await BillingWorld.run { world in
            try await world.store.apply(preset)
            try await world.store.apply(preset)
            #expect(try await world.store.plans() == preset.plans)
        }
    }

    @Test func `another preset archives what it does not have, and brings back what it has`() async throws {
        try await BillingWorld.run { world in
            try await world.store.apply(.llmhive)
            #expect(try await world.store.plans().map(\.name) == ["free", "pro", "enterprise"])
            #expect(try await world.store.plan("starter").isArchived)
            try await world.store.apply(.marketplace)
            let starter = try await world.store.plan("starter")
            #expect(!starter.isArchived && starter.features == ["usage"])
            #expect(try await world.store.plan("enterprise").isCustom)
        }
    }

    @Test func `what an operator says of a plan no start changes`() async throws {
        try await BillingWorld.run { world in
            var pro = try await world.store.plan("pro")
            pro.cents = 4999
            pro.isArchived = true
            pro.commission = .init(points: 2500, .takeRate)
            try await world.store.save(pro)
            try await world.store.save(Plan("house", "House", cents: 1, every: .year))
            for preset in PlanPreset.allCases { try await world.store.apply(preset) }
            pro.source = .operator
            #expect(try await world.store.plan("pro") == pro)
            #expect(try await world.store.plans().map(\.name).contains("house"))
        }
    }

    @Test func `all that is wrong with a plan is told at once`() async throws {
        try await BillingWorld.run { world in
            var plan = Plan("No Name", "", cents: -1)
            plan.trialDays = 1000
            plan.modelsPerRequest = 0
            plan.features = ["a b"]
            plan.commission = .init(points: 10_000, .takeRate)
            do {
                try await world.store.save(plan)
                Issue.record("it was stored")
            } catch let problem as Problem {
                #expect(
                    problem.faults.map(\.field) == [
                        "name", "title", "price_cents", "trial_days", "models_per_request", "features",
                        "commission.basis_points",
                    ])
            }
        }
    }

    @Test func `a plan that somebody has or had is archived at most`() async throws {
        try await BillingWorld.run { world in
            let organization = try await world.makeOrganization("acme")
            try await world.store.save(Plan("house", "House", cents: 100))
            _ = try await world.store.subscribe(organization, to: "house", by: .command)
            #expect(try await problem { try await world.store.deletePlan("house") } == "plan_in_use")
            #expect(try await problem { try await world.store.deletePlan("free") } == "plan_in_use")
            #expect(try await problem { try await world.store.deletePlan("nothing") } == "not_found")
            try await world.store.deletePlan("pro")
            #expect(try await world.store.plans().map(\.name).contains("pro") == false)

            var archived = try await world.store.plan("house")
            archived.isArchived = true
            try await world.store.save(archived)
            #expect(try await world.plan(of: organization) == "house")
            let other = try await world.makeOrganization("other")
            #expect(
                try await problem {
                    _ = try await world.store.subscribe(other, to: "house", by: .command)
                } == "plan_not_offered")
        }
    }

    @Test func `an organization cannot write a plan`() async throws {
        try await BillingWorld.run { world in
            let organization = try await world.makeOrganization("acme")
            await #expect(throws: PostgresError.self) {
                try await world.pool.transaction(tenant: organization) { transaction in
                    _ = try await transaction.execute("UPDATE plans SET price_cents = 0")
                }
            }
        }
    }
}
