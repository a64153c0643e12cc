import Base
import Identity
package import Providers

/// Finds who may answer for the models that a client names, and in which order they are asked.
package struct ModelRouter: Sendable {
    let upstreams: [Upstream]
    private let byName: [String: Upstream]

    package init(_ upstreams: [Upstream]) {
        self.upstreams = upstreams
        byName = Dictionary(upstreams.map { ($0.name, $0) }) { first, _ in first }
    }

    /// Those who may, the best first; never none. `lot` draws among models with weights.
    func candidates(
        for model: String, _ wishes: RouteWishes, caller: Caller, at now: Instant,
        lot: @autoclosure () -> UInt64 = .random(in: .min ... .max)
    ) throws(Problem) -> [Candidate] {
        // A model that is among the weighted ones takes part in the draw.
        let isDrawn = wishes.models.contains { $0.name == model && $0.weight != nil }
        let names = (isDrawn ? [] : [model]) + Self.draw(wishes.models, lot: lot())
        var groups: [[Candidate]] = []
        for name in names {
            guard caller.mayUse(model: name) else {
                throw Problem(
                    .forbidden, code: "model_not_allowed",
                    "This API key may not use the model \"\(name.prefix(100))\". "
                        + "Ask an admin of the organization.",
                    field: name == model ? "model" : "models")
            }
            let found = offers(of: name)
            guard !found.isEmpty else {
                throw Problem(
                    .notFound, code: "model_not_found",
                    "There is no model \"\(name.prefix(100))\". GET /v1/models lists those there are.",
                    field: name == model ? "model" : "models")
            }
            groups.append(found)
        }
        // The usual case is not worth a plan.
        if groups.count == 1, groups[0].count == 1, wishes.policy == RoutePolicy() { return groups[0] }
        let plan = RoutePlan.order(groups, by: wishes.policy) { Self.fitness($0, at: now) }
        guard !plan.isEmpty else {
            throw Problem(
                .notFound, code: "no_provider_allowed",
                "No provider of \"\(model.prefix(100))\" is left by \"provider\" and the organization's policy.",
                field: "provider")
        }
        return plan
    }

    private func offers(of name: String) -> [Candidate] {
        if let model = SandboxModel(id: name) {
            return [Candidate(id: name, place: .sandbox(model), target: ChatTarget(model: model.rawValue))]
        }
        guard let slash = name.firstIndex(of: "/"), let upstream = byName[String(name[..<slash])] else {
            return []
        }
        let model = String(name[name.index(after: slash)...])
        if model.isEmpty { return [] }
        return [Candidate(id: name, place: .upstream(upstream), target: ChatTarget(model: model))]
    }

    private static func fitness(_ candidate: Candidate, at now: Instant) -> RoutePlan.Fitness {
        guard case .upstream(let upstream) = candidate.place else { return RoutePlan.Fitness() }
        let health = upstream.health(at: now)
        let isOpen: Bool =
            switch health.breaker {
            case .closed: health.readyKeys > 0
            case .open(let until): until <= now
            case .probing: false
            }
        return RoutePlan.Fitness(
            isOpen: isOpen, latency: health.latency,
            load: Double(health.underWay) / Double(max(1, health.limit)))
    }

    /// The names in the order in which they are asked: each of those with weights comes first as often as its weight
    /// says, and those without come behind them in their order.
    static func draw(_ models: [RouteWishes.Model], lot: @autoclosure () -> UInt64) -> [String] {
        guard models.contains(where: { $0.weight != nil }) else { return models.map(\.name) }
        var random = SeededGenerator(seed: lot())
        var rest = models
        var names: [String] = []
        while !rest.isEmpty {
            let total = rest.reduce(0) { $0 + ($1.weight ?? 0) }
            var index = 0
            if total > 0 {
                var point = Int(random.next() % UInt64(total))
                index =
                    rest.firstIndex { model in
                        point -= model.weight ?? 0
                        return point < 0
                    } ?? 0
            }
            names.append(rest.remove(at: index).name)
        }
        return names
    }
}
