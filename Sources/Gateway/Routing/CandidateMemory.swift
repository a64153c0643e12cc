import Base
import Catalog
import Providers

/// Who was found for the models that are asked most, where that does not depend on who asks: nothing wished, nothing
/// of their own, and one who serves the model.
// Confined to its loop.
final class CandidateMemory: @unchecked Sendable {
    private static let largestTable = 256

    private var table = ClockTable<String, Found>(capacity: largestTable)

    private struct Found {
        /// Prices and ends of service change with the second at most.
        let second: Int64
        let models: CatalogSnapshot
        let upstream: Upstream
        let candidates: [Candidate]
    }

    func candidates(
        for model: String, _ models: CatalogSnapshot, _ instance: UpstreamDirectory.Snapshot,
        at date: Timestamp
    ) -> [Candidate]? {
        guard let found = table.value(for: model), found.second == date.seconds, found.models === models
        else {
            return nil
        }
        let upstreams = instance.named(found.upstream.name)
        return upstreams.count == 1 && upstreams[0] === found.upstream ? found.candidates : nil
    }

    func note(_ candidates: [Candidate], for model: String, _ models: CatalogSnapshot, at date: Timestamp) {
        guard candidates.count == 1, case .upstream(let upstream) = candidates[0].place else { return }
        table.set(
            Found(second: date.seconds, models: models, upstream: upstream, candidates: candidates),
            for: model)
    }
}
