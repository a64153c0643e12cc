import Base
import Gateway
import Loop
import Postgres
import Providers

/// Keeps a process's upstreams as the database has them, beside those that the environment sets up.
enum UpstreamRefresh {
    private static let pause = Duration.seconds(5)

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
    static func start(_ worker: Worker, _ upstreams: InstanceUpstreams, logger: Logger) -> Repetition {
        Repetition(on: worker.loop, every: pause, "the providers cannot be read", logger: logger) {
            try await upstreams.refresh(from: worker.gateway.identity.store)
        }
    }
}
