import Base
package import Catalog
import Identity
package import Providers

/// Finds who may answer for the models that a client names, and in which order they are asked.
package struct ModelRouter: Sendable {
    private let directory: UpstreamDirectory
    private let catalog: SharedCatalog

    package init(_ directory: UpstreamDirectory, catalog: SharedCatalog = SharedCatalog()) {
        self.directory = directory
        self.catalog = catalog
    }

    /// Where the requests of an organization may go at this moment.
    func reach(of own: OwnRoutes) -> Reach { Reach(instance: directory.snapshot, own: own) }

    /// Those who may, the best first; never none. `lot` draws among models with weights.
    func candidates(
        for model: String, _ wishes: RouteWishes, caller: Caller, own: OwnRoutes = .none,
        prices: PriceNeed = .nothing, at now: Instant, _ date: Timestamp,
        lot: @autoclosure () -> UInt64 = .random(in: .min ... .max)
    ) throws(Problem) -> [Candidate] {
        // A model that is among the weighted ones takes part in the draw.
        let isDrawn = wishes.models.contains { $0.name == model && $0.weight != nil }
        let names = (isDrawn ? [] : [model]) + Self.draw(wishes.models, lot: lot())
        let search = Search(
            reach: reach(of: own), models: catalog.snapshot, caller: caller, date: date)
        var groups: [[Candidate]] = []
        for name in names {
            groups.append(
                try search.offers(of: name, field: name == model ? "model" : "models"))
        }
        if prices != .nothing { try Self.leaveUnpricedOut(of: &groups, prices, asking: model) }
        // The usual case is not worth a plan.
        if groups.count == 1, groups[0].count == 1, wishes.policy == RoutePolicy(),
            own.policy == RoutePolicy()
        {
            return groups[0]
        }
        for group in groups where group.count > 1 { Self.leaveOutliersOut(of: group, at: now) }
        let policy = own.policy.narrowed(by: wishes.policy)
        let plan = RoutePlan.order(groups, by: policy) { Self.fitness($0, at: now) }
        guard !plan.isEmpty else {
            throw Problem(
                .notFound, code: "no_provider_allowed",
                "No provider of \"\(model.prefix(100))\" is left by \"provider\" and the organization's policy.",
                field: "provider")
        }
        return plan
    }

    private static func leaveUnpricedOut(
        of groups: inout [[Candidate]], _ prices: PriceNeed, asking model: String
    ) throws(Problem) {
        // Usually all have one.
        if groups.allSatisfy({ $0.allSatisfy(prices.isMet) }) { return }
        groups = groups.map { $0.filter(prices.isMet) }.filter { !$0.isEmpty }
        if groups.isEmpty { throw .unpriced(model) }
    }

    // MARK: Order

    /// Models that have this capability and can be asked here, the cheapest first.
    func models(
        with capability: CatalogModel.Capability, within reach: Reach, at date: Timestamp
    ) -> [String] {
        let able = catalog.snapshot.models.filter { model in
            [.chat, .responses].contains(model.mode) && reach.has(model.provider)
                && model.capabilities.contains(capability)
                && !model.isDeprecated(at: date)
        }
        let priced = able.map { (id: $0.id, price: $0.price(at: date)?.ofUsualMix ?? .max) }
        return priced.sorted { ($0.price, $0.id) < ($1.price, $1.id) }.map(\.id)
    }

    private static func fitness(_ candidate: Candidate, at now: Instant) -> RoutePlan.Fitness {
        guard case .upstream(let upstream) = candidate.place else { return RoutePlan.Fitness() }
        let health = upstream.health(at: now)
        return RoutePlan.Fitness(
            isOpen: health.isOpen(at: now), isLeftOut: health.isLeftOut, latency: health.latency,
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
