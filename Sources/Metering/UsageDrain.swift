package import Base
package import Loop
package import Redis

/// Brings what calls have left from the queue of this process into the books, all that there is at once.
// Confined to its loop.
package final class UsageDrain: @unchecked Sendable {
    private static let pause = Duration.milliseconds(50)
    private static let longestPause = Duration.seconds(2)
    /// Calls in one transaction.
    package static let batch = 5000

    private let queue: UsageQueue
    private let store: UsageStore
    private let journals: Journals
    private let loop: EventLoop
    private let logger: Logger
    private let counters: MeteringCounters
    /// Is told what has come into the books.
    private let booked: ([JournalEntry]) -> Void
    private var task: Task<Void, Never>?

    /// Starts at once. Call it on the loop; `close` it in the end, before Redis and the database.
    package init(
        _ queue: UsageQueue, _ store: UsageStore, _ redis: RedisClient, on loop: EventLoop,
        counters: MeteringCounters, logger: Logger, booked: @escaping ([JournalEntry]) -> Void = { _ in }
    ) {
        self.queue = queue
        self.store = store
        journals = Journals(redis: redis)
        self.loop = loop
        self.counters = counters
        self.logger = logger
        self.booked = booked
        task = loop.spawn { [self] in await run() }
    }

    private func run() async {
        var pause = Self.pause
        while !Task.isCancelled {
            do { try await loop.sleep(for: pause) } catch { return }
            pause = await drain() ? Self.pause : min(Self.longestPause, pause * 2)
        }
    }

    /// Says whether the database took all of it.
    package func drain() async -> Bool {
        while case let taken = queue.take(Self.batch), !taken.isEmpty {
            let started = Instant.now()
            do {
                try await store.storeOrPutAside(taken.map(\.entry), counters: counters, logger: logger)
            } catch {
                queue.giveBack(taken)
                // Who closes brings it.
                if Task.isCancelled { return false }
                logger.warning(
                    "usage waits for PostgreSQL", ("reason", "\(error)"), ("calls", .integer(queue.count)))
                return false
            }
            counters.drained(taken.count, in: .now() - started)
            queue.stored(taken)
            booked(taken.map(\.entry))
            await journals.trim(taken.map(\.entry))
        }
        return true
    }

    /// Brings the rest.
    package func close() async {
        task?.cancel()
        await task?.value
        _ = await drain()
    }
}
