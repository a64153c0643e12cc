import Base
import Gateway
import Loop
import Postgres
import Redis
import Synchronization

/// What is known of the process as a whole, for its health pages and metrics.
// The workers are set once, before anybody asks; the rest is atomic.
final class ProcessHealth: @unchecked Sendable {
    /// Known keys go on for this long without the database; after it the process can serve nobody.
    private static let databaseGrace = Duration.seconds(60)

    private let loops: LoopGroup
    private let workers = Locked<[Worker]>([])
    private let isStarted = Atomic(false)
    private let isStopping = Atomic(false)

    init(_ loops: LoopGroup) { self.loops = loops }

    func started(_ workers: [Worker]) {
        self.workers.withLock { $0 = workers }
        isStarted.store(true, ordering: .relaxed)
    }

    func stopping() { isStopping.store(true, ordering: .relaxed) }

    var report: HealthReport {
        HealthReport(silence: { self.loops.longestSilence() }, obstacles: { self.obstacles() })
    }

    private func obstacles() -> [String] {
        if isStopping.load(ordering: .relaxed) { return ["the process is stopping"] }
        if !isStarted.load(ordering: .relaxed) { return ["the process is starting"] }
        let isDatabaseLost = snapshots.allSatisfy { snapshot in
            !snapshot.database.isUp && Instant.now() - snapshot.database.since > Self.databaseGrace
        }
        return isDatabaseLost ? ["PostgreSQL has not answered for a minute"] : []
    }

    private var snapshots: [Worker.Snapshot] {
        workers.withLock { $0 }.map { worker in worker.snapshot.withLock { $0 } }
    }

    /// Everything that is read when somebody asks for the metrics.
    func register(in metrics: Metrics, startedAt: Timestamp) {
        metrics.gauge("hivegate_build_info", "The release, as a label.", ["version": Version.current]) { 1 }
        metrics.gauge("process_start_time_seconds", "When the process started.") {
            Double(startedAt.microseconds) / 1e6
        }
        metrics.gauge("process_resident_memory_bytes", "Resident memory.") { ProcessUsage.residentBytes() }
        metrics.gauge("process_cpu_seconds_total", "CPU time, user and system.") { ProcessUsage.cpuSeconds() }
        metrics.gauge("process_open_fds", "Open file descriptors.") { ProcessUsage.descriptorCount() }
        sum("hivegate_redis_up", "Loops whose connection to Redis is ready.", metrics) {
            $0.redis.state == .ready ? 1 : 0
        }
        sum("hivegate_redis_in_flight", "Commands sent to Redis and not answered.", metrics) {
            $0.redis.inFlightCount
        }
        sum("hivegate_redis_reconnects", "Reconnections to Redis.", metrics) { $0.redis.reconnectCount }
        sum("hivegate_redis_timeouts", "Calls that Redis did not answer in time.", metrics) {
            $0.redis.timeoutCount
        }
        sum("hivegate_postgres_up", "Loops that reach PostgreSQL.", metrics) { $0.database.isUp ? 1 : 0 }
        sum("hivegate_postgres_connections", "Connections to PostgreSQL.", metrics) { $0.database.open }
        sum("hivegate_postgres_connections_leased", "Connections in use.", metrics) { $0.database.leased }
        sum("hivegate_postgres_waiting", "Requests that wait for a connection.", metrics) {
            $0.database.waiting
        }
        sum("hivegate_postgres_failures", "Connections that could not be opened.", metrics) {
            $0.database.failures
        }
        sum("hivegate_upstream_transfers", "Requests to upstreams under way.", metrics) { $0.transferCount }
    }

    private func sum(
        _ name: String, _ help: String, _ metrics: Metrics,
        _ read: @escaping @Sendable (Worker.Snapshot) -> Int
    ) {
        metrics.gauge(name, help) { Double(self.snapshots.reduce(0) { $0 + read($1) }) }
    }
}
