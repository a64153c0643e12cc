package import Base

/// The catalogue as all loops see it: a whole state of it at a time.
package final class SharedCatalog: Sendable {
    private let current: Locked<CatalogSnapshot>
    private let providerAliases: [String: String]

    /// - Parameter providerAliases: `google` for `gemini`.
    package init(_ models: [CatalogModel] = [], providerAliases: [String: String] = [:]) {
        self.providerAliases = providerAliases
        current = Locked(CatalogSnapshot(models, providerAliases: providerAliases))
    }

    package var snapshot: CatalogSnapshot { current.withLock { $0 } }

    /// Reads it where it has changed, and says whether it has. Whatever goes wrong, the last state stays.
    @discardableResult
    package func refresh(from store: CatalogStore) async throws -> Bool {
        guard let contents = try await store.load(unless: snapshot.version) else { return false }
        let aliases = providerAliases
        // Not on the loop: 16 µs a model.
        let fresh = await Task.detached {
            CatalogSnapshot(contents.models, version: contents.version, providerAliases: aliases)
        }.value
        return current.withLock { current in
            // Another look may have been quicker, and have seen more.
            guard fresh.version > current.version else { return false }
            current = fresh
            return true
        }
    }

    /// For how many seconds the newest of a provider's prices has gone uncompared with its source; nil where none is known.
    package func priceAge(of provider: String, at now: Timestamp) -> Int64? {
        let newest = snapshot.models.filter { $0.provider == provider && $0.price(at: now) != nil }
            .map(\.verifiedOn).max()
        return newest.map { max(0, now.seconds - $0.seconds) }
    }

    /// For how many days the price that was compared with its source longest ago has gone unlooked at. What is free
    /// where it is, or not served any more, has no price to look at.
    package func oldestPriceDays(at now: Timestamp) -> Int {
        let seen = snapshot.models.filter { model in
            guard let price = model.price(at: now), !model.isShutDown(at: now) else { return false }
            return !price.isFree
        }.map(\.verifiedOn).min()
        guard let seen else { return 0 }
        return max(0, Int((now.seconds - seen.seconds) / 86_400))
    }
}
