import Base
import Gateway
import Loop
import Metering

/// What becomes of usage: it is drained into the books, what others left behind is recovered, and months are made ahead.
struct UsageUpkeep {
    private static let recoveryPause = Duration.seconds(5)
    private static let partitionPause = Duration.seconds(3600)

    private let drain: UsageDrain
    private let recovery: Repetition
    private let partitions: Repetition

    init(
        _ queue: UsageQueue, _ worker: Worker, keepingMonths months: Int, metrics: Metrics, logger: Logger,
        booked: @escaping ([JournalEntry]) -> Void
    ) async throws {
        let store = UsageStore(worker.pool)
        let counters = MeteringCounters(in: metrics, of: queue)
        _ = try await store.makePartitions(at: .now())
        drain = UsageDrain(
            queue, store, worker.redis, on: worker.loop, counters: counters, logger: logger, booked: booked)
        let recovery = Recovery(
            worker.pool, worker.redis, worker.gateway.gatekeeper, counters: counters, logger: logger)
        self.recovery = Repetition(
            on: worker.loop, every: Self.recoveryPause, "what others left behind waits", logger: logger
        ) { try await recovery.run() }
        partitions = Repetition(
            on: worker.loop, every: Self.partitionPause, "no month of usage could be made ahead",
            logger: logger
        ) {
            _ = try await store.makePartitions(at: .now())
            guard months > 0 else { return }
            let dropped = try await store.dropPartitions(at: .now(), keepingMonths: months)
            if dropped > 0 { logger.info("months of usage were dropped", ("months", .integer(dropped))) }
        }
    }

    func close() async {
        await recovery.close()
        await partitions.close()
        await drain.close()
    }
}
