package import Base

/// What holds for one caller in the end.
///
/// The operator's overrides replace what the plan says, kind by kind. What the organization says, and what the key says
/// of itself, narrow it: the smallest holds. Within a layer the rule for one user, key or model lies over the rule for
/// each.
package struct EffectiveLimits: Sendable {
    package let organization: Limits
    package let user: Limits
    package let key: Limits
    private let layers: LimitLayers
    private let userID: UUID
    private let keyID: UUID?
    private let keyLimits: Limits
    /// Whether any layer says anything of models, or of groups: most do not.
    private let limitsModels: Bool
    private let limitsGroups: Bool

    /// - Parameter key: nil for a person who works without one.
    /// - Parameter keyLimits: the key's own.
    package init(_ layers: LimitLayers, user: UUID, key: UUID?, keyLimits: Limits = Limits()) {
        self.layers = layers
        (userID, keyID, self.keyLimits) = (user, key, keyLimits)
        limitsModels = layers.all.contains { !$0.model.isEmpty || !$0.models.isEmpty }
        limitsGroups = layers.all.contains { !$0.groups.isEmpty }
        organization = Held(layers, \.organization).limits
        self.user = Held(layers) { $0.rule(forUser: user) }.limits
        self.key =
            key.map { key in Held(layers, narrowedBy: keyLimits) { $0.rule(forKey: key) }.limits } ?? Limits()
    }

    package func model(_ name: String) -> Limits {
        limitsModels ? Held(layers) { $0.rule(forModel: name) }.limits : Limits()
    }

    package func group(_ group: EndpointGroup) -> Limits {
        limitsGroups ? Held(layers) { $0.groups[group] ?? LimitRule() }.limits : Limits()
    }

    /// Whether nothing is limited, whatever the model and the endpoint.
    package var isEmpty: Bool {
        organization.isEmpty && user.isEmpty && key.isEmpty && !limitsModels && !limitsGroups
    }

    /// Whether anything is counted by the month.
    package var hasMonths: Bool {
        all.contains { if case .window(let name) = $0.kind { name.span == .month } else { false } }
    }

    // MARK: Where it comes from

    /// One limit that holds.
    package struct Entry: Equatable, Sendable {
        package var subject: LimitSubject
        package var kind: LimitKind
        package var value: Int
        package var source: LimitSource
    }

    /// Of one subject, in the order of the kinds. Users and keys are the caller's own, or nobody's.
    package func entries(of subject: LimitSubject) -> [Entry] {
        held(of: subject).entries.map { kind, bound in
            Entry(subject: subject, kind: kind, value: bound.value, source: bound.source)
        }
    }

    /// All: the organization's, the user's and the key's, each model's, those of the models that a rule names, and those
    /// of groups.
    package var all: [Entry] {
        var subjects: [LimitSubject] = [.organization, .user(userID)]
        if let keyID { subjects.append(.key(keyID)) }
        if limitsModels {
            let names = Set(layers.all.flatMap(\.models.keys)).sorted()
            subjects += [.eachModel] + names.map { .model($0) }
        }
        if limitsGroups { subjects += EndpointGroup.allCases.map { .group($0) } }
        return subjects.flatMap(entries)
    }

    private func held(of subject: LimitSubject) -> Held {
        switch subject {
        case .organization: Held(layers, \.organization)
        case .user(let user): user == userID ? Held(layers) { $0.rule(forUser: user) } : Held()
        case .key(let key):
            key == keyID ? Held(layers, narrowedBy: keyLimits) { $0.rule(forKey: key) } : Held()
        case .model(let name): Held(layers) { $0.rule(forModel: name) }
        case .eachModel: Held(layers, \.model)
        case .group(let group): Held(layers) { $0.groups[group] ?? LimitRule() }
        case .tag, .address: Held()
        }
    }
}

extension LimitLayers {
    fileprivate var all: [LimitRules] { [plan, overrides, own] }
}

extension LimitRules {
    fileprivate func rule(forUser user: UUID) -> LimitRule {
        users[user].map { $0.over(self.user) } ?? self.user
    }
    fileprivate func rule(forKey key: UUID) -> LimitRule { keys[key].map { $0.over(self.key) } ?? self.key }
    fileprivate func rule(forModel name: String) -> LimitRule { models[name].map { $0.over(model) } ?? model }
}

/// What the layers say of one subject, and what comes of it.
private struct Held {
    private var plan = LimitRule()
    private var overrides = LimitRule()
    private var own = LimitRule()
    private var key = Limits()

    init() {}

    init(_ layers: LimitLayers, narrowedBy key: Limits = Limits(), _ rule: (LimitRules) -> LimitRule) {
        (plan, overrides, own) = (rule(layers.plan), rule(layers.overrides), rule(layers.own))
        self.key = key
    }

    typealias Bound = (value: Int, source: LimitSource)

    var limits: Limits {
        if plan.isEmpty && overrides.isEmpty && own.isEmpty { return key }
        var limits = Limits()
        for kind in LimitKind.allCases { limits[kind] = bound(kind)?.value }
        return limits
    }

    var entries: [(LimitKind, Bound)] {
        LimitKind.allCases.compactMap { kind in bound(kind).map { (kind, $0) } }
    }

    private func bound(_ kind: LimitKind) -> Bound? {
        var bound: Bound?
        if case .atMost(let value) = plan[kind] { bound = (value, .plan) }
        switch overrides[kind] {
        case nil: break
        case .unlimited: bound = nil
        case .atMost(let value): bound = (value, .operator)
        }
        if case .atMost(let value) = own[kind] { bound = Self.narrower(bound, (value, .organization)) }
        if let value = key[kind] { bound = Self.narrower(bound, (value, .key)) }
        return bound
    }

    /// Of two that are the same the one that cannot be changed further in.
    private static func narrower(_ outer: Bound?, _ inner: Bound) -> Bound {
        guard let outer, outer.value <= inner.value else { return inner }
        return outer
    }
}
