import Base
import Loop

/// Who is told what has become of commands, and has no task that waits for it.
package protocol RedisCaller: AnyObject {
    /// The replies, or why there are none. Called once, on the loop, in the middle of what is read, or where nothing can be sent
    /// at once: it must neither wait nor ask for more.
    func replied(_ replies: Result<[RedisValue], RedisError>)
}

/// A call that waits for its replies.
// Confined to its loop.
final class PendingCall: @unchecked Sendable {
    let expectedCount: Int
    let deadline: Instant
    private let caller: any RedisCaller
    /// Where its bytes start in what the wire was given; nil before it is sent.
    var position: UInt64?
    /// Its commands, while it waits for a connection.
    var commands: [RedisCommand] = []
    private var values: [RedisValue] = []
    private(set) var receivedCount = 0
    private(set) var isFinished = false

    init(_ caller: any RedisCaller, expecting count: Int, until deadline: Instant) {
        self.caller = caller
        expectedCount = count
        self.deadline = deadline
        values.reserveCapacity(count)
    }

    /// Takes a reply. Nobody may be waiting for it any more.
    func receive(_ value: RedisValue) {
        receivedCount += 1
        guard !isFinished else { return }
        values.append(value)
        if receivedCount == expectedCount { finish(.success(values)) }
    }

    func fail(_ error: RedisError) { if !isFinished { finish(.failure(error)) } }

    private func finish(_ replies: Result<[RedisValue], RedisError>) {
        isFinished = true
        caller.replied(replies)
    }
}

/// A task that waits.
// Confined to its loop.
final class WaitingCaller: RedisCaller, @unchecked Sendable {
    private var replies: Result<[RedisValue], RedisError>?
    private var continuation: UnsafeContinuation<Void, Never>?

    func replied(_ replies: Result<[RedisValue], RedisError>) {
        self.replies = replies
        continuation?.resume()
        continuation = nil
    }

    /// Suspends the calling task until the replies have come or the task is cancelled. `cancel` runs on the loop, and sees to it
    /// that it goes on.
    func wait(
        on loop: EventLoop, cancel: @escaping @Sendable () -> Void
    ) async throws(RedisError) -> [RedisValue] {
        await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                if replies == nil { self.continuation = continuation } else { continuation.resume() }
            }
        } onCancel: {
            loop.execute(cancel)
        }
        guard let replies else { preconditionFailure("a call goes on when it has ended") }
        return try replies.get()
    }
}

/// One that is called back.
final class HearingCaller: RedisCaller {
    private let hear: (Result<[RedisValue], RedisError>) -> Void

    init(_ hear: @escaping (Result<[RedisValue], RedisError>) -> Void) { self.hear = hear }

    func replied(_ replies: Result<[RedisValue], RedisError>) { hear(replies) }
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
