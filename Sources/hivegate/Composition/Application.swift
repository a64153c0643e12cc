import Admission
import Base
import Billing
import Cache
import Catalog
import Gateway
import Glibc
import HTTPServer
import Identity
import Loop
import Metering
import Providers

/// The server: everything put together, started in order and stopped in reverse.
struct Application: Sendable {
    /// What is left to do after the last request may take this long.
    private static let closeLimit = Duration.seconds(5)

    let configuration: Configuration
    let group: LoopGroup
    let logger: Logger

    private var loops: [EventLoop] { group.loops }

    /// Serves until a signal says to stop. Runs on the first loop.
    func run() async throws {
        let startedAt = Instant.now()
        let stopSignal = try StopSignal(on: loops[0])
        try await Storage.use(configuration, sharing: .refused, on: loops[0], logger: logger) { storage in
            _ = try await Migration.run(configuration, storage, on: loops[0], logger: logger)
            try await serve(storage, startedAt: startedAt, until: stopSignal)
        }
        logger.info("stopped")
    }

    private func serve(_ storage: Storage, startedAt: Instant, until stopSignal: StopSignal) async throws {
        let metrics = Metrics()
        let health = ProcessHealth(group)
        health.register(in: metrics, startedAt: .now())
        let identity = try await SharedIdentity.load(configuration, storage, on: loops[0])
        defer { identity.passwords.close() }
        let keys = SharedKeys()
        keys.register(in: metrics)
        let catalog = try await CatalogRefresh.load(storage, on: loops[0])
        CatalogRefresh.register(catalog, in: metrics)
        let upstreams = try await UpstreamRefresh.load(configuration, storage, identity, on: loops[0], logger)
        let usage = UsageQueue()
        let live = LiveCalls()
        let workers = await makeWorkers(
            storage, identity, keys, catalog, upstreams, usage, live, health: health.report,
            metrics: metrics)
        try await beginEnforcement(workers[0])
        let background = try await Background.start(
            configuration, storage, identity, keys, catalog, upstreams, usage, live, on: workers[0],
            metrics: metrics,
            logger: logger)
        let server = HTTPServer(try serverConfiguration(workers, metrics))
        do {
            guard let address = IPAddress(configuration.host) else { throw SystemError("HOST", code: EINVAL) }
            try await server.start(on: loops, addresses: [.tcp(address, port: configuration.port)])
            let url = configuration.url(port: server.ports.first ?? configuration.port)
            if storage.isOwnDatabase {
                let firstStart = FirstStart(
                    storage: storage, identity: identity, directory: configuration.dataDirectory, url: url,
                    loop: loops[0],
                    logger: logger)
                Banner.show(try await firstStart.credentials(), in: configuration.dataDirectory)
            } else {
                Banner.show(url: url)
            }
            health.started(workers)
            let elapsed = Int((Instant.now() - startedAt).nanoseconds / 1_000_000)
            logger.info(
                "ready", ("url", "\(url)"), ("loops", .integer(loops.count)),
                ("milliseconds", .integer(elapsed)))
            await stopSignal.wait()
            health.stopping()
            logger.info("stopping: no new connections, answers under way finish")
            let isClean = await server.drain(within: configuration.drainLimit)
            if !isClean { logger.warning("some answers did not finish in time and were broken off") }
        } catch {
            await server.drain(within: .zero)
            await background.close(until: .now() + Self.closeLimit)
            await close(workers)
            throw error
        }
        for worker in workers { await worker.loop.spawn { worker.flushUsage() }.value }
        await background.close(until: .now() + Self.closeLimit)
        await close(workers)
    }

    private func makeWorkers(
        _ storage: Storage, _ identity: SharedIdentity, _ keys: SharedKeys, _ catalog: SharedCatalog,
        _ upstreams: InstanceUpstreams, _ usage: UsageQueue, _ live: LiveCalls, health: HealthReport,
        metrics: Metrics
    ) async -> [Worker] {
        let lag = metrics.histogram("hivegate_loop_lag_seconds", "How late a loop's timers fire.")
        let shared = Worker.Shared(
            admissions: AdmissionCounters(in: metrics),
            upstreams: upstreams, ownRoutes: OwnRoutesMemory(), catalog: catalog, keys: keys,
            observer: AttemptObserver(metrics: metrics, logger: logger),
            cacheStatistics: CacheStatistics(metrics: metrics), flights: FlightTable(), usage: usage,
            live: live, costs: CostCounters(in: metrics),
            stripe: configuration.stripe.map { _ in StripeCounters(in: metrics) })
        var workers: [Worker] = []
        for loop in loops {
            workers.append(
                await Task(executorPreference: loop) {
                    Worker(
                        configuration, storage, identity, shared, on: loop, health: health,
                        metrics: metrics, logger: logger, lag: lag)
                }.value)
        }
        return workers
    }

    /// Where budgets refuse requests for the first time.
    private func beginEnforcement(_ worker: Worker) async throws {
        guard configuration.budgets == .enforce else { return }
        let count = try await worker.gateway.identity.store.beginEnforcement(grace: configuration.budgetGrace)
        if count > 0 {
            logger.info(
                "budgets will refuse requests of organizations that were here before",
                ("organizations", .integer(count)),
                ("in_days", .integer(Int(configuration.budgetGrace.components.seconds / 86_400))))
        }
    }

    private func close(_ workers: [Worker]) async {
        let deadline = Instant.now() + Self.closeLimit
        for worker in workers { await worker.loop.spawn { await worker.close(until: deadline) }.value }
    }

    private func serverConfiguration(_ workers: [Worker], _ metrics: Metrics) throws
        -> HTTPServerConfiguration
    {
        let routes = RouteTable.routes { loop in
            guard let worker = workers.first(where: { $0.loop === loop }) else {
                preconditionFailure("every loop that serves has a worker")
            }
            return worker.gateway
        }
        let responder = ErrorResponder(logger: logger)
        let observer = RequestObserver(routes: routes, metrics: metrics, logger: logger)
        var result = HTTPServerConfiguration(
            router: try Router(routes), errorResponder: { responder.respond($0, $1) })
        result.onFinish = { observer.finished($0) }
        result.onFailure = { logger.error("the server cannot accept", ("reason", "\($0)")) }
        result.limits.bodyBytes = configuration.largestBody
        result.limits.connectionsPerLoop = max(1, configuration.largestConnectionCount / loops.count)
        result.limits.connectionsPerAddress = configuration.largestConnectionCountPerAddress
        result.limits.drainDeadline = configuration.drainLimit
        let proxies = configuration.trustedProxies
        result.exemptAddresses = { address in proxies.contains { $0.contains(address) } }
        return result
    }
}
