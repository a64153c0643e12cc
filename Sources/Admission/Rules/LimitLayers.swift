package import Base

/// All that limits the callers of one organization but their keys' own limits. An object, because many share it.
package final class LimitLayers: Sendable {
    /// What the organization's plan gives.
    package let plan: LimitRules
    /// The operator's, over the plan.
    package let overrides: LimitRules
    /// What the organization says itself. It can only narrow.
    package let own: LimitRules

    package init(
        plan: LimitRules = LimitRules(), overrides: LimitRules = LimitRules(), own: LimitRules = LimitRules()
    ) {
        self.plan = plan
        self.overrides = overrides
        self.own = own
    }

    /// From what is stored; nil says nothing.
    package convenience init(plan: [UInt8]?, overrides: [UInt8]?, own: [UInt8]?) throws(Problem) {
        self.init(
            plan: try Self.rules(plan), overrides: try Self.rules(overrides, overrides: true),
            own: try Self.rules(own))
    }

    private static func rules(_ json: [UInt8]?, overrides: Bool = false) throws(Problem) -> LimitRules {
        guard let json else { return LimitRules() }
        return try LimitRules(json: json, overrides: overrides)
    }

    package static let empty = LimitLayers()
}

/// Which layer a limit comes from.
package enum LimitSource: String, CaseIterable, Sendable {
    case plan, `operator`, organization, key
}
