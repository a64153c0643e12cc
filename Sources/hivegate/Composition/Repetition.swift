import Base
import Loop

/// A job that is done again and again on a loop, with a pause before each time, until it is closed.
struct Repetition {
    private let task: Task<Void, Never>

    /// - Parameter complaint: what the log says where the job fails: the database is away, and what was known goes on.
    init(
        on loop: EventLoop, every pause: Duration, _ complaint: StaticString, logger: Logger,
        _ job: @escaping @Sendable () async throws -> Void
    ) {
        task = loop.spawn {
            while !Task.isCancelled {
                do {
                    try await loop.sleep(for: pause)
                    try await job()
                } catch is WaitFailure {
                    return
                } catch {
                    logger.warning(complaint, ("reason", "\(error)"))
                }
            }
        }
    }

    func close() async {
        task.cancel()
        await task.value
    }
}
