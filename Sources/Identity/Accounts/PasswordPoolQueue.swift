package import Base
import Glibc
package import Loop

/// Work that waits for threads of low priority, first come, first served.
///
/// A thread of its own, at the usual priority and hardly ever awake, takes from the queue and hands answers back to the
/// loops, so that the threads that work never hold a lock of a loop.
package final class PasswordPoolQueue: Sendable {
    private struct State {
        var waiting: [Ticket] = []
        var workingCount = 0
        var isClosed = false
    }

    /// One caller's place.
    // `isDone` and the seat belong to the loop; the rest never changes.
    private final class Ticket: @unchecked Sendable {
        let loop: EventLoop
        let seat: Waiter
        let work: @Sendable () -> Void
        var isDone = false

        init(on loop: EventLoop, work: @escaping @Sendable () -> Void) {
            self.loop = loop
            seat = Waiter(loop)
            self.work = work
        }

        func finish() {
            loop.execute {
                self.isDone = true
                self.seat.wake()
            }
        }
    }

    // Written by one thread before the ticket is done, and read on the loop after.
    private final class Answer<Value>: @unchecked Sendable {
        var value: Value?
    }

    private let capacity: Int
    private let threadCount: Int
    private let state = Locked(State())
    private let news = Semaphore()

    /// At most `capacity` callers wait beyond those whose work is being done.
    package init(threads: Int, capacity: Int) {
        precondition(threads > 0 && capacity >= 0)
        self.capacity = capacity
        threadCount = threads
        startThread { self.distribute() }
    }

    /// The answer of `compute`, from another thread. Whoever is cancelled while waiting gives the place up.
    package func run<Value: Sendable>(
        on loop: EventLoop, _ compute: @escaping @Sendable () -> Value
    ) async throws -> Value {
        let answer = Answer<Value>()
        let ticket = Ticket(on: loop) { answer.value = compute() }
        try admit(ticket)
        while !ticket.isDone {
            do throws(WaitFailure) {
                try await ticket.seat.wait()
            } catch {
                state.withLock { $0.waiting.removeAll { $0 === ticket } }
                throw error
            }
        }
        guard let value = answer.value else { throw Self.closed }
        return value
    }

    /// Nothing begins after this; what is being computed ends. The threads go by themselves.
    package func close() {
        let rest = state.withLock { state in
            state.isClosed = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for ticket in rest { ticket.finish() }
        news.signal()
    }

    /// Throws what a caller would be told who came now.
    package func checkRoom() throws(Problem) {
        try state.withLock { state throws(Problem) in try checkRoom(state) }
    }

    private func checkRoom(_ state: State) throws(Problem) {
        guard !state.isClosed else { throw Self.closed }
        guard state.waiting.count + state.workingCount < threadCount + capacity else { throw Self.full }
    }

    private func admit(_ ticket: Ticket) throws(Problem) {
        try state.withLock { state throws(Problem) in
            try checkRoom(state)
            state.waiting.append(ticket)
        }
        news.signal()
    }

    private static let full = Problem(
        .rateLimited, code: "too_many_logins",
        "Too many people are signing in at this moment. Try again in a second.",
        retryAfterSeconds: 1)
    private static let closed = Problem(
        .unavailable, code: "shutting_down", "This server is going away. Try again.", retryAfterSeconds: 1)

    // MARK: On the queue's thread

    private func distribute() {
        pthread_setname_np(pthread_self(), "password-queue")
        let threads = (0..<threadCount).map { number in
            PasswordPoolThread(name: "password-\(number)") { [news] in news.signal() }
        }
        var working: [Ticket?] = threads.map { _ in nil }
        while true {
            for (index, thread) in threads.enumerated() where thread.takeFinished() {
                state.withLock { $0.workingCount -= 1 }
                working[index]?.finish()
                working[index] = nil
            }
            for (index, thread) in threads.enumerated() where thread.isResting {
                guard let ticket = next() else { break }
                working[index] = ticket
                thread.start(ticket.work)
            }
            if threads.allSatisfy(\.isResting), state.withLock({ $0.isClosed }) { break }
            news.wait()
        }
        for thread in threads { thread.end() }
    }

    private func next() -> Ticket? {
        state.withLock { state in
            guard !state.waiting.isEmpty else { return nil }
            state.workingCount += 1
            return state.waiting.removeFirst()
        }
    }
}
