import Base
import Catalog
import Loop
import Postgres
import Providers

/// Keeps a process's catalogue as the database has it.
// Confined to its loop.
final class CatalogRefresh: @unchecked Sendable {
    private static let pause = Duration.seconds(30)

    private let worker: Worker
    private let catalog: SharedCatalog
    private let logger: Logger
    private var task: Task<Void, Never>?

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
    }

    /// Works on the worker's loop.
    init(_ worker: Worker, _ catalog: SharedCatalog, logger: Logger) {
        self.worker = worker
        self.catalog = catalog
        self.logger = logger
        task = worker.loop.spawn { [self] in await run() }
    }

    private func run() async {
        while !Task.isCancelled {
            do {
                try await worker.loop.sleep(for: Self.pause)
                if try await catalog.refresh(from: CatalogStore(worker.pool)) {
                    logger.info(
                        "the catalogue has changed", ("models", .integer(catalog.snapshot.models.count)))
                }
            } catch is WaitFailure {
                return
            } catch {
                // The database is away, and the last catalogue goes on.
                logger.warning("the catalogue cannot be read", ("reason", "\(error)"))
            }
        }
    }

    func close() async {
        task?.cancel()
        await task?.value
    }
}
