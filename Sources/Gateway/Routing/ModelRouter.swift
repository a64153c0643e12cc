import Base
package import Catalog
import Identity
package import Providers

/// Finds who may answer for the models that a client names, and in which order they are asked.
package struct ModelRouter: Sendable {
    let upstreams: [Upstream]
    private let byName: [String: Upstream]
    private let catalog: SharedCatalog

    package init(_ upstreams: [Upstream], catalog: SharedCatalog = SharedCatalog()) {
        self.upstreams = upstreams
        self.catalog = catalog
        byName = Dictionary(upstreams.map { ($0.name, $0) }) { first, _ in first }
    }

    /// Those who may, the best first; never none. `lot` draws among models with weights.
    func candidates(
        for model: String, _ wishes: RouteWishes, caller: Caller, at now: Instant, _ date: Timestamp,
        lot: @autoclosure () -> UInt64 = .random(in: .min ... .max)
    ) throws(Problem) -> [Candidate] {
        // A model that is among the weighted ones takes part in the draw.
        let isDrawn = wishes.models.contains { $0.name == model && $0.weight != nil }
        let names = (isDrawn ? [] : [model]) + Self.draw(wishes.models, lot: lot())
        let snapshot = catalog.snapshot
        var groups: [[Candidate]] = []
        for name in names {
            groups.append(
                try offers(of: name, snapshot, caller, date, field: name == model ? "model" : "models"))
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

    /// Everyone who serves the model of this name, and whom the caller may ask for it; never none.
    private func offers(
        of name: String, _ snapshot: CatalogSnapshot, _ caller: Caller, _ date: Timestamp, field: String
    ) throws(Problem) -> [Candidate] {
        let mayUseName = caller.mayUse(model: name)
        if let model = SandboxModel(id: name) {
            guard mayUseName else { throw Self.notAllowed(name, field) }
            return [Candidate(id: name, place: .sandbox(model), target: ChatTarget(model: model.rawValue))]
        }
        let known = snapshot.models(named: name)
        var offers: [Candidate] = []
        var isForbidden = false
        for model in known where !model.isShutDown(at: date) {
            guard let upstream = byName[model.provider] else { continue }
            // Whoever may use a model may use it by any of its names.
            guard mayUseName || caller.mayUse(model: model.id) || caller.mayUse(model: model.slug) else {
                isForbidden = true
                continue
            }
            offers.append(Candidate(model, at: upstream, date))
        }
        if offers.isEmpty, !isForbidden, known.isEmpty, let candidate = unlisted(name, snapshot) {
            guard mayUseName else { throw Self.notAllowed(name, field) }
            return [candidate]
        }
        guard offers.isEmpty else { return offers }
        throw isForbidden ? Self.notAllowed(name, field) : notFound(name, known, snapshot, date, field)
    }

    private static let longestUnlistedName = 256

    /// A model that the catalogue does not know, at a provider that does.
    private func unlisted(_ name: String, _ snapshot: CatalogSnapshot) -> Candidate? {
        guard let slash = name.firstIndex(of: "/"),
            let upstream = byName[snapshot.provider(named: String(name[..<slash]))]
        else { return nil }
        let model = String(name[name.index(after: slash)...])
        // It is sent in a field of the answer, and no provider has names that could not be.
        guard (1...Self.longestUnlistedName).contains(model.utf8.count),
            model.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else { return nil }
        return Candidate(
            id: "\(upstream.name)/\(model)", place: .upstream(upstream), target: ChatTarget(model: model))
    }

    // MARK: Why there is nobody

    private static func notAllowed(_ name: String, _ field: String) -> Problem {
        Problem(
            .forbidden, code: "model_not_allowed",
            "This API key may not use the model \"\(name.prefix(100))\". Ask an admin of the organization.",
            field: field)
    }

    private func notFound(
        _ name: String, _ known: [CatalogModel], _ snapshot: CatalogSnapshot, _ date: Timestamp,
        _ field: String
    ) -> Problem {
        let name = String(name.prefix(100))
        let message: String
        if let gone = known.first(where: { $0.isShutDown(at: date) }) {
            let instead = gone.replacement.map { " Use \"\($0)\" instead." } ?? ""
            message = "The model \"\(name)\" is not served any more.\(instead)"
        } else if !known.isEmpty {
            let providers = Set(known.map(\.provider)).sorted().joined(separator: ", ")
            message =
                "The model \"\(name)\" is offered by \(providers), which is not set up here. "
                + "Ask whoever operates this gateway."
        } else {
            var problem = Problem.noModel(name, suggestions: snapshot.nearest(to: name))
            problem.field = field
            return problem
        }
        return Problem(.notFound, code: "model_not_found", message, field: field)
    }

    // MARK: Order

    /// Models that have this capability and can be asked here, the cheapest first.
    func models(with capability: CatalogModel.Capability, at date: Timestamp) -> [String] {
        let able = catalog.snapshot.models.filter { model in
            model.mode == .chat && byName[model.provider] != nil && model.capabilities.contains(capability)
                && !model.isDeprecated(at: date)
        }
        let priced = able.map { (id: $0.id, price: $0.price(at: date)?.ofUsualMix ?? .max) }
        return priced.sorted { ($0.price, $0.id) < ($1.price, $1.id) }.map(\.id)
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
