import Base
import Loop

/// A call that waits for its replies.
// Confined to its loop.
final class PendingCall: @unchecked Sendable {
    let expectedCount: Int
    let deadline: Instant
    /// Where its bytes start in what the wire was given; nil before it is sent.
    var position: UInt64?
    /// Its commands, while it waits for a connection.
    var commands: [RedisCommand] = []
    private(set) var values: [RedisValue] = []
    private(set) var receivedCount = 0
    private(set) var failure: RedisError?
    private(set) var isFinished = false
    private var whenFinished: ((PendingCall) -> Void)?

    init(expecting count: Int, until deadline: Instant) {
        expectedCount = count
        self.deadline = deadline
        values.reserveCapacity(count)
    }

    /// Takes a reply. Nobody may be waiting for it any more.
    func receive(_ value: RedisValue) {
        receivedCount += 1
        guard !isFinished else { return }
        values.append(value)
        if receivedCount == expectedCount { finish() }
    }

    func fail(_ error: RedisError) {
        guard !isFinished else { return }
        failure = error
        finish()
    }

    private func finish() {
        isFinished = true
        whenFinished?(self)
        whenFinished = nil
    }

    /// Calls `body` when the call has finished, in the middle of what is read: it must not wait, or ask for more.
    func finally(_ body: @escaping (PendingCall) -> Void) {
        if isFinished { body(self) } else { whenFinished = body }
    }

    /// Suspends the calling task until the call has finished or the task is cancelled. `cancel` runs on
    /// the loop.
    func wait(on loop: EventLoop, cancel: @escaping @Sendable () -> Void) async {
        await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in finally { _ in continuation.resume() } }
        } onCancel: {
            loop.execute(cancel)
        }
    }
}

/// Calls in the order in which they were sent; taking the first costs nothing.
struct CallQueue {
    private var calls: [PendingCall?] = []
    private var head = 0

    var isEmpty: Bool { head == calls.count }
    var first: PendingCall? { head < calls.count ? calls[head] : nil }

    mutating func append(_ call: PendingCall) { calls.append(call) }

    mutating func removeFirst() {
        calls[head] = nil
        head += 1
        if head == calls.count {
            calls.removeAll(keepingCapacity: true)
            head = 0
        } else if head >= 1024, head * 2 >= calls.count {
            calls.removeFirst(head)
            head = 0
        }
    }

    mutating func removeAll() -> [PendingCall] {
        defer {
            calls = []
            head = 0
        }
        return all
    }

    /// All of them, in order.
    var all: [PendingCall] { calls[head...].compactMap { $0 } }
}
