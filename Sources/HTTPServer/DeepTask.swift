import Loop

/// A task that runs handlers which go deep, one after the other, for whichever connection has one. A task keeps the most
/// memory that it ever took: the connections' own stay small, and what these took is there for the next handler.
// Confined to its loop.
final class DeepTask: @unchecked Sendable {
    private let begun: Waiter
    private var task: Task<Void, Never>?
    private var work: Work?

    private struct Work {
        let handler: Handler
        let exchange: Exchange
        let connection: Connection
        let continuation: UnsafeContinuation<(any Error)?, Never>
    }

    init(on loop: EventLoop) {
        begun = Waiter(loop)
        task = loop.spawn { [self] in await serve() }
    }

    /// Runs `handler` in this task, which is `connection`'s until then. It begins cancelled where the caller is.
    func run(_ handler: @escaping Handler, _ exchange: Exchange, for connection: Connection) async throws {
        let isCancelled = Task.isCancelled
        let failure = await withUnsafeContinuation { continuation in
            work = Work(
                handler: handler, exchange: exchange, connection: connection, continuation: continuation)
            if isCancelled { cancel() }
            begun.wake()
        }
        if let failure { throw failure }
    }

    /// Cancels the handler; the task ends with it. One without a handler ends at once.
    func cancel() { task?.cancel() }

    private func serve() async {
        while let work = await nextWork() {
            var failure: (any Error)?
            do {
                try await work.handler(work.exchange)
            } catch {
                failure = error
            }
            self.work = nil
            work.connection.handlerEnded(in: self, isReusable: !Task.isCancelled)
            work.continuation.resume(returning: failure)
        }
        task = nil
    }

    private func nextWork() async -> Work? {
        while work == nil {
            do throws(WaitFailure) { try await begun.wait() } catch { break }
        }
        return work
    }
}
