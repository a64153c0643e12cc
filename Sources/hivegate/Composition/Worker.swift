import Admission
import Base
import Billing
import Cache
import Catalog
import Gateway
import HTTPClient
import Identity
import Loop
import Metering
import Postgres
import Redis

/// All that one loop has of its own: connections, the key ring, the gateway.
// Confined to its loop; `snapshot` is for the others.
final class Worker: @unchecked Sendable {
    private static let pulse = Duration.milliseconds(250)

    let loop: EventLoop
    let gateway: Gateway
    let snapshot: Locked<Snapshot>
    let keyGenerations: KeyGenerations
    let redis: RedisClient
    let pool: PostgresPool
    private let cacheStatistics: CacheStatisticsWriter
    private let client: HTTPClient
    /// Uses no proxy: for places that organizations name.
    let direct: HTTPClient
    private let gatekeeperPulse: GatekeeperPulse
    private let quotaWriter: QuotaWriter
    private let lag: Histogram
    private var timer: TimerToken?

    /// What the pages of other loops say of this one.
    struct Snapshot: Sendable {
        var redis: RedisHealth
        var database: PoolHealth
        var transferCount: Int
    }

    /// What all loops have in common.
    struct Shared: Sendable {
        var admissions: AdmissionCounters
        var upstreams: InstanceUpstreams
        var ownRoutes: OwnRoutesMemory
        var catalog: SharedCatalog
        var keys: SharedKeys
        var observer: AttemptObserver
        var cacheStatistics: CacheStatistics
        var flights: FlightTable
        var usage: UsageQueue
        var live: LiveCalls
        var costs: CostCounters
        /// nil: nobody pays by Stripe.
        var stripe: StripeCounters?
    }

    /// Call it on the loop.
    init(
        _ configuration: Configuration, _ storage: Storage, _ identity: SharedIdentity, _ shared: Shared,
        on loop: EventLoop, health: HealthReport, metrics: Metrics, logger: Logger, lag: Histogram
    ) {
        self.loop = loop
        self.lag = lag
        redis = RedisClient(storage.redis, on: loop)
        var limits = PoolLimits()
        limits.maximum = configuration.databaseConnectionsPerLoop
        pool = PostgresPool(storage.database, limits: limits, on: loop)
        pool.onFailure = { error in
            logger.warning("PostgreSQL cannot be reached", ("reason", "\(error.details.message)"))
        }
        var outbound = HTTPClient.Configuration()
        outbound.proxy = configuration.proxy
        outbound.authorities = configuration.authorities
        outbound.userAgent = "hivegate/\(Version.current)"
        client = HTTPClient(on: loop, outbound)
        outbound.proxy = nil
        direct = HTTPClient(on: loop, outbound)
        cacheStatistics = CacheStatisticsWriter(shared.cacheStatistics, redis)
        let generations = KeyGenerations(redis, shared.keys, logger: logger)
        keyGenerations = generations
        let lookup = CallerLookup(pool)
        let keys = KeyRing(
            on: loop, peppers: storage.peppers, shared: shared.keys, generations: generations
        ) { try await lookup.caller(of: $0) }
        let quotas = QuotaStore(pool)
        let gatekeeper = Gatekeeper(
            redis, workers: configuration.loopCount, counters: shared.admissions,
            grants: GrantStore(pool)
        ) {
            try await quotas.load($0, $1, $2)
        }
        gatekeeperPulse = GatekeeperPulse(gatekeeper)
        quotaWriter = QuotaWriter(gatekeeper, quotas, on: loop, logger: logger)
        var gatewayLimits = Gateway.Limits()
        gatewayLimits.addressRequestsPerMinute = configuration.addressRequestsPerMinute
        gatewayLimits.sharesProviderState = configuration.sharesProviderState
        gatewayLimits.cachePolicy.isEnabled = configuration.keepsAnswers
        gatewayLimits.semanticCacheModel = configuration.semanticCacheModel
        gatewayLimits.countsBytesAsTokens = configuration.countsBytesAsTokens
        gatewayLimits.requiresPrices = configuration.hasPricing
        gatewayLimits.budgets = configuration.budgets
        gatewayLimits.takesPayment = configuration.hasBilling
        let people = identity.services(
            pool, redis, direct, on: loop,
            announce: { await generations.announce($0.organization, $0.generation) })
        gateway = Gateway(
            on: loop, keys: keys, identity: people,
            trustedNetworks: configuration.trustedProxies,
            gatekeeper: gatekeeper, answers: CacheStore(redis), cacheStatistics: shared.cacheStatistics,
            flights: shared.flights,
            clients: OutboundClients(
                client, direct: direct, policy: OutboundPolicy(allowing: configuration.outboundExceptions)),
            upstreams: shared.upstreams, ownRoutes: shared.ownRoutes, health: health, metrics: metrics,
            logger: logger, note: { [observer = shared.observer] in observer.note($0) },
            meter: Meter(shared.usage, on: loop, costs: shared.costs),
            billing: configuration.billing(pool, people, client, shared.stripe, on: loop),
            idempotency: IdempotencyStore(pool), live: shared.live, limits: gatewayLimits,
            catalog: shared.catalog)
        snapshot = Locked(
            Snapshot(redis: redis.health, database: pool.health, transferCount: 0))
        beat()
    }

    /// Notes how this loop fares, again and again.
    private func beat() {
        let due = Instant.now() + Self.pulse
        timer = loop.schedule(at: due) { [weak self] in
            guard let self else { return }
            lag.observe(Instant.now() - due)
            let current = Snapshot(
                redis: redis.health, database: pool.health, transferCount: client.transferCount)
            snapshot.withLock { $0 = current }
            beat()
        }
    }

    /// Writes down what was only counted.
    func flushUsage() { gateway.meter?.keptAnswers?.flush() }

    func close(until deadline: Instant) async {
        if let timer { loop.cancel(timer) }
        await gatekeeperPulse.close()
        await quotaWriter.close()
        await keyGenerations.close()
        await cacheStatistics.close()
        await redis.close(drainingUntil: deadline)
        await pool.close(until: deadline)
    }
}
