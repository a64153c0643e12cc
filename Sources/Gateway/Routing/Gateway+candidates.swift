import Base
import Catalog
import Identity

extension Gateway {
    /// Those who may answer for a model, the best first; never none.
    func candidates(
        for model: String, _ wishes: RouteWishes, _ caller: Caller, priced need: PriceNeed
    ) async throws -> [Candidate] {
        try candidates(for: model, wishes, caller, try await ownRoutes.routes(for: caller), priced: need)
    }

    /// The same where it is known what the caller's organization has of its own.
    func candidates(
        for model: String, _ wishes: RouteWishes, _ caller: Caller, _ own: OwnRoutes, priced need: PriceNeed
    ) throws(Problem) -> [Candidate] {
        let now = time.timestamp()
        let models = catalog.snapshot
        let rights = caller.terms?.planRights
        if !wishes.models.isEmpty { try rights?.mayName(Set(wishes.models.map(\.name) + [model]).count) }
        let isUsual =
            need == .conversation && caller.allowedModels == nil && rights?.models == nil && wishes.areNone
            && own.areNone
            && caller.terms?.prices.isEmpty ?? true
        if isUsual,
            let known = candidateMemory.candidates(
                for: model, models, router.reach(of: own).instance, at: now)
        {
            return known
        }
        let candidates = try router.candidates(
            for: model, wishes, caller: caller, own: own, prices: prices(for: need), at: time.instant(), now)
        if isUsual { candidateMemory.note(candidates, for: model, models, at: now) }
        return candidates
    }

    /// Where the caller's requests may go.
    func reach(of caller: Caller) async throws -> Reach {
        router.reach(of: try await ownRoutes.routes(for: caller))
    }
}
