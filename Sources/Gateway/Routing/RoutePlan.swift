import Base
import Catalog
import Providers

/// Sorts those who could answer into the order in which they are asked. Pure: what it needs to know is given.
enum RoutePlan {
    /// More than this nobody waits for.
    static let largestCandidateCount = 12

    /// `groups` are the candidates for each model that the client names, in its order.
    static func order(
        _ groups: [[Candidate]], by policy: RoutePolicy, health: (Candidate) -> Fitness
    ) -> [Candidate] {
        var order: [Candidate] = []
        for group in groups {
            let allowed = group.filter { isAllowed($0, by: policy) }
            let ranked = allowed.enumerated().map { position, candidate in
                (candidate, rank(candidate, position, by: policy, health(candidate)))
            }
            order += ranked.sorted { $0.1.precedes($1.1) }.map(\.0)
        }
        let limit = policy.allowsFallbacks ? largestCandidateCount : 1
        return Array(order.prefix(limit))
    }

    /// How an upstream fares.
    struct Fitness: Equatable {
        /// Whether it takes requests now.
        var isOpen = true
        /// Whether it does so much worse than others that they are asked before it.
        var isLeftOut = false
        /// Recent seconds to the first token; nil where nobody has asked it yet.
        var latency: Double?
        /// Requests that one more would be beside, for each that it bears.
        var load = 0.0
    }

    private static func isAllowed(_ candidate: Candidate, by policy: RoutePolicy) -> Bool {
        guard policy.allows(provider: candidate.provider) else { return false }
        let facts = candidate.facts
        if !policy.regions.isEmpty {
            guard let regions = facts?.regions, regions.contains(where: policy.regions.contains) else {
                return false
            }
        }
        if !policy.allowsRetention, facts?.mayBeRetained ?? true { return false }
        if let bound = policy.highestPrice {
            // What has no price is not free.
            if let most = bound.input {
                guard let price = facts?.price?.input, price <= most else { return false }
            }
            if let most = bound.output {
                guard let price = facts?.price?.output, price <= most else { return false }
            }
        }
        return true
    }

    /// Compared from the front: what an upstream that fails is good at does not matter.
    private struct Rank {
        var isClosed: Bool
        var isLeftOut: Bool
        var wish: Int
        var measure: Double
        var position: Int

        func precedes(_ other: Rank) -> Bool {
            if isClosed != other.isClosed { return !isClosed }
            if isLeftOut != other.isLeftOut { return !isLeftOut }
            if wish != other.wish { return wish < other.wish }
            if measure != other.measure { return measure < other.measure }
            return position < other.position
        }
    }

    private static func rank(
        _ candidate: Candidate, _ position: Int, by policy: RoutePolicy, _ fitness: Fitness
    ) -> Rank {
        let measure: Double =
            switch policy.sort {
            case .price: candidate.facts.flatMap(Self.price) ?? .infinity
            case .latency: fitness.latency ?? 0
            case .throughput: fitness.load
            case nil: 0
            }
        return Rank(
            isClosed: !fitness.isOpen, isLeftOut: fitness.isLeftOut,
            wish: policy.order.firstIndex(of: candidate.provider) ?? policy.order.count,
            measure: measure, position: position)
    }

    /// Of a usual mix: three tokens read for one answered.
    private static func price(_ facts: Candidate.Facts) -> Double? {
        guard let input = facts.price?.input, let output = facts.price?.output else { return nil }
        return Double(3 * input + output)
    }
}
