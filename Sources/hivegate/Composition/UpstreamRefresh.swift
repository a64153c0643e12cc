import Base
import Gateway
import Loop
import Postgres
import Providers

/// Keeps a process's upstreams as the database has them, beside those that the environment sets up.
// Confined to its loop.
final class UpstreamRefresh: @unchecked Sendable {
    private static let pause = Duration.seconds(5)

    private let worker: Worker
    private let upstreams: InstanceUpstreams
    private let logger: Logger
    private var task: Task<Void, Never>?

    /// As they are at the start.
    static func load(
        _ configuration: Configuration, _ storage: Storage, _ identity: SharedIdentity, on loop: EventLoop,
        _ logger: Logger
    ) async throws -> InstanceUpstreams {
        let upstreams = InstanceUpstreams(
            UpstreamDirectory(configuration.upstreams.map { Upstream($0) }), logger: logger)
        let pool = PostgresPool(storage.database, on: loop)
        do {
            try await upstreams.refresh(from: identity.store(pool))
            await pool.close(until: .now() + .seconds(1))
            return upstreams
        } catch {
            await pool.close(until: .now() + .seconds(1))
            throw error
        }
    }

    /// Works on the worker's loop.
    init(_ worker: Worker, _ upstreams: InstanceUpstreams, logger: Logger) {
        self.worker = worker
        self.upstreams = upstreams
        self.logger = logger
        task = worker.loop.spawn { [self] in await run() }
    }

    private func run() async {
        while !Task.isCancelled {
            do {
                try await worker.loop.sleep(for: Self.pause)
                try await upstreams.refresh(from: worker.gateway.identity.store)
            } catch is WaitFailure {
                return
            } catch {
                // The database is away, and what was there last goes on.
                logger.warning("the providers cannot be read", ("reason", "\(error)"))
            }
        }
    }

    func close() async {
        task?.cancel()
        await task?.value
    }
}
