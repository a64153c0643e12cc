import Base
import Cache
import Loop
import Redis

/// Purges that have to be, whether anybody waits for them or not: because what an organization's requests are answered
/// with has changed.
// Confined to its loop.
final class BackgroundPurges: @unchecked Sendable {
    /// Organizations whose purge has failed, and is tried again; of more their answers end by themselves.
    private static let largestCount = 10_000
    private static let pauses: ClosedRange<Duration> = .seconds(1) ... .seconds(30)

    private let loop: EventLoop
    private let answers: CacheStore
    private let logger: Logger
    private var failed: Set<UUID> = []
    private var isRepeating = false

    init(on loop: EventLoop, _ answers: CacheStore, logger: Logger) {
        self.loop = loop
        self.answers = answers
        self.logger = logger
    }

    /// Deletes all answers of `organization`, or goes on doing so when `patience` is over.
    func purge(_ organization: UUID, patience: Duration) async {
        let waiter = Waiter(loop)
        loop.spawn { [self] in
            await tryOnce(organization)
            waiter.wake()
        }
        do throws(WaitFailure) { try await waiter.wait(until: .now() + patience) } catch {
            // It goes on by itself; whoever has left need not know.
        }
    }

    private func tryOnce(_ organization: UUID) async {
        do throws(RedisError) {
            _ = try await answers.purge(.all, of: organization)
        } catch {
            guard error.reason != .closed, failed.count < Self.largestCount else { return }
            failed.insert(organization)
            logger.warning(
                "answers of an organization could not be deleted yet",
                ("organization", "\(organization)"), ("reason", "\(error)"))
            repeatFailed()
        }
    }

    private func repeatFailed() {
        if isRepeating { return }
        isRepeating = true
        loop.spawn { [self] in
            defer { isRepeating = false }
            var pause = Self.pauses.lowerBound
            while !failed.isEmpty {
                do throws(WaitFailure) { try await loop.sleep(for: pause) } catch { return }
                pause = min(pause * 2, Self.pauses.upperBound)
                let organizations = failed
                // One that fails again, or anew meanwhile, is in there again.
                failed = []
                for organization in organizations { await tryOnce(organization) }
            }
        }
    }
}

extension Gateway {
    /// What an organization's requests are answered with has changed: what is kept was made before. What is being made is
    /// not kept any more when this returns, unless Redis is away; then nothing is given out of it either.
    func forgetAnswers(of organization: UUID) async {
        await purges.purge(organization, patience: Self.purgePatience)
    }

    private static let purgePatience = Duration.seconds(1)
}
