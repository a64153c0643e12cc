import Base
import Catalog
import Loop
import Postgres
import Providers

/// Keeps a process's catalogue as the database has it.
enum CatalogRefresh {
    private static let pause = Duration.seconds(30)

    /// The catalogue as it is at the start: a process without one does not serve.
    static func load(_ storage: Storage, on loop: EventLoop) async throws -> SharedCatalog {
        let aliases = ProviderPreset.all.flatMap { preset in preset.aliases.map { ($0, preset.name) } }
        let catalog = SharedCatalog(providerAliases: Dictionary(uniqueKeysWithValues: aliases))
        let pool = PostgresPool(storage.database, on: loop)
        do {
            try await catalog.refresh(from: CatalogStore(pool))
            await pool.close(until: .now() + .seconds(1))
            return catalog
        } catch {
            await pool.close(until: .now() + .seconds(1))
            throw error
        }
    }

    static func register(_ catalog: SharedCatalog, in metrics: Metrics) {
        metrics.gauge("hivegate_catalog_models", "Models in the catalogue.") {
            Double(catalog.snapshot.models.count)
        }
        metrics.gauge(
            "hivegate_catalog_oldest_price_days",
            "Days since the price that was compared with its source longest ago was."
        ) { Double(catalog.oldestPriceDays(at: .now())) }
        // Of the providers that are there at the start.
        for provider in Set(catalog.snapshot.models.map(\.provider)).sorted() {
            metrics.gauge(
                "hivegate_price_age_seconds",
                "Time since the newest of a provider's prices was compared with its source, from the beginning of that day.",
                ["provider": provider]
            ) { Double(catalog.priceAge(of: provider, at: .now()) ?? 0) }
        }
    }

    /// Works on the worker's loop.
    static func start(_ worker: Worker, _ catalog: SharedCatalog, logger: Logger) -> Repetition {
        Repetition(on: worker.loop, every: pause, "the catalogue cannot be read", logger: logger) {
            guard try await catalog.refresh(from: CatalogStore(worker.pool)) else { return }
            logger.info("the catalogue has changed", ("models", .integer(catalog.snapshot.models.count)))
        }
    }
}
