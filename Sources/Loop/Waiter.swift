package import Base

/// Why a wait ended without what it waited for.
package enum WaitFailure: Error, Equatable, Sendable {
    case timedOut
    case cancelled
}

/// A seat for one task: it waits until somebody on the loop wakes it.
///
/// The waiter carries no value. State lives in the object that owns it; a wake only says "look again":
/// `while !isReady { try await waiter.wait(until: deadline) }`. A wake with nobody waiting is remembered, once.
// Confined to its loop; a cancellation from elsewhere is handed over.
package final class Waiter: @unchecked Sendable {
    private unowned let loop: EventLoop
    private var continuation: UnsafeContinuation<WaitFailure?, Never>?
    private var isWoken = false
    private var deadline = Instant.never
    /// Tells a late cancellation of an earlier wait from one of the wait that goes on now.
    private var turn: UInt64 = 0
    /// The timer stays set when a wait ends in time: the next wait usually has a later deadline, and then the
    /// timer only has to be moved when it fires. A request costs no heap operation.
    private var timer: (token: TimerToken, at: Instant)?

    package init(_ loop: EventLoop) {
        self.loop = loop
    }

    deinit {
        if let timer { loop.cancel(timer.token) }
    }

    package var isWaiting: Bool { continuation != nil }

    /// Ends the wait, or the next one. Call it on the loop.
    package func wake() {
        if continuation == nil {
            isWoken = true
        } else {
            finish(nil)
        }
    }

    /// Suspends until a wake, `deadline`, or the cancellation of the calling task. One task at a time.
    package func wait(until deadline: Instant = .never) async throws(WaitFailure) {
        precondition(continuation == nil, "a waiter seats one task")
        if isWoken {
            isWoken = false
            return
        }
        turn &+= 1
        let turn = turn
        self.deadline = deadline
        let failure = await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                self.continuation = continuation
                self.setTimer()
            }
        } onCancel: {
            loop.execute { self.cancel(turn) }
        }
        if let failure { throw failure }
    }

    private func cancel(_ cancelled: UInt64) {
        if cancelled == turn, continuation != nil { finish(.cancelled) }
    }

    private func finish(_ failure: WaitFailure?) {
        let waiting = continuation
        continuation = nil
        waiting?.resume(returning: failure)
    }

    private func setTimer() {
        guard deadline != .never else { return }
        if let timer {
            if timer.at <= deadline { return }
            loop.cancel(timer.token)
        }
        let token = loop.schedule(at: deadline) { [weak self] in self?.timerFired() }
        timer = (token, deadline)
    }

    private func timerFired() {
        timer = nil
        guard continuation != nil else { return }
        if deadline <= loop.now {
            finish(.timedOut)
        } else {
            setTimer()
        }
    }
}

extension EventLoop {
    /// Suspends the calling task for `duration`. Call it on the loop.
    package func sleep(for duration: Duration) async throws(WaitFailure) {
        do throws(WaitFailure) {
            try await Waiter(self).wait(until: .now() + duration)
        } catch {
            if error == .cancelled { throw error }
        }
    }
}
