import Base
import Catalog
import Identity

/// An import of lists of prices: compared first, and written where that is wanted.
struct PriceUpdate {
    let plan: PriceImport
    private let version: Int64
    private let now: Timestamp

    /// nil where there is no catalogue.
    init?(_ lists: [PriceImport.List], _ store: IdentityStore) async throws {
        guard let contents = try await CatalogStore(store.pool).load() else { return nil }
        let history = try await store.readInstance { try await PriceHistory.load($0) }
        now = .now()
        version = contents.version
        // Not on the loop, which may have requests to answer.
        plan = await Task.detached { [now] in
            PriceImport(lists, over: contents.models, after: history, at: now)
        }.value
    }

    func write(_ store: IdentityStore, by actor: Actor) async throws {
        try await store.changeInstance(
            "price.import", "catalog", String(plan.sources.joined(separator: ",").prefix(200)),
            after: #"{"changes":\#(plan.changes.count),"quarantined":\#(plan.quarantined.count)}"#, by: actor
        ) { transaction in
            try await CatalogStore.write(
                plan, comparedWith: version, at: now, by: actor.name, transaction)
        }
    }
}
