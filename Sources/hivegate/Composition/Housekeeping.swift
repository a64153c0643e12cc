import Base
import Gateway
import Identity
import Loop

/// What a process does by itself now and then: learns of signing keys that others made, and removes what has ended.
// Confined to its loop.
final class Housekeeping: @unchecked Sendable {
    private static let keyPause = Duration.seconds(60)
    private static let cleaningPause = Duration.seconds(3600)

    private let worker: Worker
    private let logger: Logger
    private var task: Task<Void, Never>?

    /// Works on the worker's loop.
    init(_ worker: Worker, logger: Logger) {
        self.worker = worker
        self.logger = logger
        task = worker.loop.spawn { [self] in await run() }
    }

    private func run() async {
        var nextCleaning = Instant.now() + Self.keyPause
        while !Task.isCancelled {
            do {
                try await worker.loop.sleep(for: Self.keyPause)
                try await worker.gateway.identity.tokens.reload()
                if Instant.now() >= nextCleaning {
                    nextCleaning = .now() + Self.cleaningPause
                    let ended = try await worker.gateway.identity.store.clean()
                    if ended > 0 { logger.info("purged deleted organizations", ("count", .integer(ended))) }
                }
            } catch is WaitFailure {
                return
            } catch {
                // The database is away; the next round comes.
                logger.warning("housekeeping failed", ("reason", "\(error)"))
            }
        }
    }

    func close() async {
        task?.cancel()
        await task?.value
    }
}
