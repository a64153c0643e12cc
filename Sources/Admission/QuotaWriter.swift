package import Base
package import Loop

/// Tells the database what is used of months: all that a loop has admitted, in one statement every few seconds.
// Confined to its loop.
package final class QuotaWriter: @unchecked Sendable {
    private static let interval = Duration.seconds(5)

    private let gatekeeper: Gatekeeper
    private let store: QuotaStore
    private let loop: EventLoop
    private let logger: Logger
    private var timer: TimerToken?
    private var isWriting = false

    /// Starts at once. Call it on the loop; `close` it in the end, before Redis and the database.
    package init(_ gatekeeper: Gatekeeper, _ store: QuotaStore, on loop: EventLoop, logger: Logger) {
        self.gatekeeper = gatekeeper
        self.store = store
        self.loop = loop
        self.logger = logger
        wait()
    }

    package func close() async {
        if let timer { loop.cancel(timer) }
        timer = nil
        await write()
    }

    private func wait() {
        timer = loop.schedule(at: .now() + Self.interval) { [weak self] in
            guard let self else { return }
            wait()
            // One that takes longer than that is not joined by a second.
            guard !isWriting else { return }
            isWriting = true
            loop.spawn { [self] in
                await write()
                isWriting = false
            }
        }
    }

    /// Writes all that has changed. What the database does not take is kept for later.
    package func write() async {
        do {
            try await gatekeeper.writeMonths { try await store.save($0) }
        } catch {
            logger.debug("what is used of months could not be written down", ("reason", "\(error)"))
        }
    }
}
