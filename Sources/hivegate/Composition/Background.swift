import Base
import Catalog
import Gateway
import Identity
import Loop
import Metering

/// What a process does beside answering requests, all of it on the first loop.
struct Background {
    private let keyChanges: KeyChangeListener
    private let keyUses: KeyUseWriter
    private let housekeeping: Housekeeping
    private let catalog: Repetition
    private let prices: Repetition?
    private let upstreams: Repetition
    private let localSearch: LocalSearch
    private let mail: MailService?
    private let usage: UsageUpkeep
    private let liveCalls: LiveCallChannel
    private let billing: Repetition?
    private let budgets: BudgetUpkeep
    private let stripe: StripeUpkeep?

    static func start(
        _ configuration: Configuration, _ storage: Storage, _ identity: SharedIdentity, _ keys: SharedKeys,
        _ catalog: SharedCatalog, _ upstreams: InstanceUpstreams, _ usage: UsageQueue, _ live: LiveCalls,
        on worker: Worker,
        metrics: Metrics,
        logger: Logger
    ) async throws -> Background {
        let mail = try await MailService.start(
            configuration, storage, identity, metrics: metrics, logger: logger)
        let liveCalls = LiveCallChannel(storage.redis, live, worker.redis, on: worker.loop)
        return Background(
            keyChanges: KeyChangeListener(storage.redis, keys, on: worker.loop),
            keyUses: KeyUseWriter(keys, worker.pool, logger: logger),
            housekeeping: Housekeeping(worker, logger: logger),
            catalog: CatalogRefresh.start(worker, catalog, logger: logger),
            prices: PriceUpdates.start(configuration, worker, logger: logger),
            upstreams: UpstreamRefresh.start(worker, upstreams, logger: logger),
            localSearch: LocalSearch(
                configuration, upstreams.directory, on: worker.loop, logger: logger),
            mail: mail,
            usage: try await UsageUpkeep(
                usage, worker, keepingMonths: configuration.usageRetentionMonths, metrics: metrics,
                logger: logger
            ) { liveCalls.booked($0) },
            liveCalls: liveCalls,
            billing: try await BillingUpkeep.start(configuration.planPreset, worker, logger: logger),
            budgets: try await BudgetUpkeep.start(configuration, worker, metrics: metrics, logger: logger),
            stripe: StripeUpkeep(worker, logger: logger))
    }

    func close(until deadline: Instant) async {
        await housekeeping.close()
        await billing?.close()
        await budgets.close()
        await stripe?.close()
        await catalog.close()
        await prices?.close()
        await upstreams.close()
        await localSearch.close()
        keyChanges.close()
        await keyUses.close()
        await mail?.close(until: deadline)
        await usage.close()
        liveCalls.close()
    }
}
