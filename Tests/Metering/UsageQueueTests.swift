import Base
import Testing

@testable import Metering

/// How far the books are behind.
struct UsageQueueTests {
    private static func entry(at moment: Timestamp) -> JournalEntry {
        JournalEntry(
            UsageEvent(
                id: .make(), requestID: "r", organization: .make(), user: .make(), key: .make(),
                endpoint: "e",
                model: "m", at: moment, attempts: []))
    }

    @Test func `the lag is that of the oldest call, also while it is on its way`() {
        let queue = UsageQueue()
        let now = Timestamp(seconds: 1_795_000_000)
        #expect(queue.lag(at: now) == nil)
        queue.append(Self.entry(at: now + .seconds(-7)))
        queue.append(Self.entry(at: now + .seconds(-3)))
        #expect(queue.lag(at: now) == .seconds(7))
        let taken = queue.take(1)
        #expect(queue.lag(at: now) == .seconds(7))
        queue.giveBack(taken)
        #expect(queue.lag(at: now) == .seconds(7) && queue.count == 2)
        queue.stored(queue.take(1))
        #expect(queue.lag(at: now) == .seconds(3))
        queue.stored(queue.take(5))
        #expect(queue.lag(at: now) == nil && queue.count == 0)
    }
}
