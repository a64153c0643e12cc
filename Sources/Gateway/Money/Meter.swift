package import Loop
package import Metering

/// Where what calls have used goes.
package struct Meter: Sendable {
    /// Counts answers that were there already; nil: nobody wants to know.
    package let keptAnswers: KeptAnswers?
    /// Whether nothing that is paid for may come at the moment.
    package let isFull: @Sendable () -> Bool
    /// Takes what a call has used, and the same as the books take it. Calls `done` when its client may see the end of it:
    /// at once where it cannot be lost any more.
    package let take:
        @Sendable (
            _ event: UsageEvent, _ entry: JournalEntry, _ isSafe: Bool, _ done: @escaping @Sendable () -> Void
        ) -> Void

    package init(
        keptAnswers: KeptAnswers? = nil, isFull: @escaping @Sendable () -> Bool = { false },
        _ take:
            @escaping @Sendable (
                _ event: UsageEvent, _ entry: JournalEntry, _ isSafe: Bool,
                _ done: @escaping @Sendable () -> Void
            ) -> Void
    ) {
        self.keptAnswers = keptAnswers
        self.isFull = isFull
        self.take = take
    }

    /// Into the queue of the process. What is not safe elsewhere its client waits for, where money depends on it.
    package init(_ queue: UsageQueue, on loop: EventLoop, costs: CostCounters? = nil) {
        let isFull: @Sendable () -> Bool = { queue.isFull }
        self.init(keptAnswers: KeptAnswers(queue, on: loop), isFull: isFull) {
            event, entry, isSafe, done in
            costs?.note(event)
            let isPaid = event.charge > 0 || !event.charges.isEmpty
            if isSafe || !isPaid {
                queue.append(entry, mustStay: isPaid)
                done()
            } else {
                queue.append(entry) { loop.execute(done) }
            }
        }
    }
}
