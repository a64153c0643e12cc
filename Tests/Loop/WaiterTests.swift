import Base
import Loop
import TestKit
import Testing

struct WaiterTests {
    @Test func `a wake before the wait is remembered once`() async throws {
        try await onLoop { loop in
            let waiter = Waiter(loop)
            waiter.wake()
            waiter.wake()
            try await waiter.wait()
            await #expect(throws: WaitFailure.timedOut) {
                try await waiter.wait(until: .now() + .milliseconds(5))
            }
        }
    }

    @Test func `a cancelled task leaves its wait at once, whoever cancels it`() async throws {
        try await onLoop { loop in
            let waiter = Waiter(loop)
            let outcome = Box<WaitFailure?>(nil)
            let task = loop.spawn {
                do throws(WaitFailure) { try await waiter.wait() } catch { outcome.value = error }
            }
            try await loop.sleep(for: .milliseconds(2))
            #expect(waiter.isWaiting)
            Task.detached { task.cancel() }
            await task.value
            #expect(outcome.value == .cancelled)
        }
    }

    @Test func `a task that was cancelled before it waits does not wait`() async throws {
        try await onLoop { loop in
            let waiter = Waiter(loop)
            let outcome = Box<WaitFailure?>(nil)
            let task = loop.spawn {
                do throws(WaitFailure) { try await waiter.wait() } catch { outcome.value = error }
            }
            task.cancel()
            await task.value
            #expect(outcome.value == .cancelled)
        }
    }

    @Test func `a late cancellation does not end the next task's wait`() async throws {
        try await onLoop { loop in
            let waiter = Waiter(loop)
            let first = loop.spawn { try? await waiter.wait() }
            try await loop.sleep(for: .milliseconds(1))
            waiter.wake()
            first.cancel()
            await first.value
            await #expect(throws: WaitFailure.timedOut) {
                try await waiter.wait(until: .now() + .milliseconds(20))
            }
        }
    }

    @Test func `each wait keeps its own deadline, earlier or later than the one before`() async throws {
        try await onLoop { loop in
            let waiter = Waiter(loop)
            for milliseconds in [20, 5, 10, 1, 30] {
                let deadline = Instant.now() + .milliseconds(milliseconds)
                await #expect(throws: WaitFailure.timedOut) { try await waiter.wait(until: deadline) }
                #expect(Instant.now() >= deadline)
            }
        }
    }

    @Test func `a sleep ends early only when its task is cancelled`() async throws {
        try await onLoop { loop in
            let start = Instant.now()
            try await loop.sleep(for: .milliseconds(10))
            #expect(Instant.now() - start >= .milliseconds(10))
            let outcome = Box<WaitFailure?>(nil)
            let task = loop.spawn {
                do throws(WaitFailure) { try await loop.sleep(for: .seconds(60)) } catch {
                    outcome.value = error
                }
            }
            try await loop.sleep(for: .milliseconds(1))
            task.cancel()
            await task.value
            #expect(outcome.value == .cancelled)
        }
    }
}
