import Admission
import Catalog

/// Plans that an instance may begin with.
package enum PlanPreset: String, CaseIterable, Sendable {
    case unified, llmhive, gateway, marketplace

    /// From the least to the most.
    package var plans: [Plan] {
        var plans =
            switch self {
            case .unified: [Self.free, Self.starter, Self.pro, Self.enterprise]
            case .llmhive: [Self.free, Self.pro, Self.enterprise]
            case .gateway: Self.gatewayPlans
            case .marketplace: Self.marketplacePlans
            }
        for index in plans.indices {
            plans[index].position = index
            plans[index].commission = .usual
        }
        return plans
    }

    private static let free = plan(
        "free", "Free", cents: 0, models: 2, perMinute: 10, perMonth: 100, tokens: 100_000)
    private static let starter = plan(
        "starter", "Starter", cents: 1000, models: 3, perMinute: 30, perMonth: 2000, tokens: 1_000_000)
    private static let pro = plan(
        "pro", "Pro", cents: 2999, models: 5, perMinute: 100, perMonth: 10_000, tokens: 10_000_000)
    private static var enterprise: Plan {
        var plan = plan("enterprise", "Enterprise", cents: 19_999, models: 10, perMinute: 1000)
        plan.features = ["sso", "audit_export"]
        return plan
    }

    /// For those who mostly pass requests on: counted by the request, with the tokens free.
    private static var gatewayPlans: [Plan] {
        var plans = [
            plan("free", "Free", cents: 0, models: 2, perMinute: 20, perMonth: 1000),
            plan("starter", "Starter", cents: 2900, models: 3, perMinute: 60, perMonth: 50_000),
            plan("pro", "Pro", cents: 9900, models: 5, perMinute: 300, perMonth: 500_000),
            plan("enterprise", "Enterprise", cents: 29_900, models: 10, perMinute: 1000),
        ]
        plans[3].features = ["sso", "audit_export"]
        return plans
    }

    /// A wallet pays for what is used.
    private static var marketplacePlans: [Plan] {
        var plans = [
            plan("free", "Free", cents: 0, models: 2, perMinute: 10, tokens: 1000),
            plan("starter", "Starter", cents: 1000, models: 3, perMinute: 30),
            plan("pro", "Pro", cents: 5000, models: 5, perMinute: 100),
            plan("enterprise", "Enterprise", cents: 0, models: 10, perMinute: 1000),
        ]
        for index in 1...3 { plans[index].features = ["usage"] }
        plans[3].features += ["sso", "audit_export"]
        plans[3].isCustom = true
        return plans
    }

    private static func plan(
        _ name: String, _ title: String, cents: Int64, models: Int, perMinute: Int, perMonth: Int? = nil,
        tokens: Int? = nil
    ) -> Plan {
        var limits = Limits()
        limits.requests.minute = perMinute
        limits.requests.month = perMonth
        limits.tokens.month = tokens
        var rules = LimitRules()
        rules.organization = LimitRule(limits)
        var plan = Plan(name, title, cents: cents, limits: rules)
        plan.modelsPerRequest = models
        return plan
    }
}
