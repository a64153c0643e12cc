import Base
package import Loop

/// Kept answers that were given without anything being asked or paid: counted, and written down once a second.
// Confined to its loop.
package final class KeptAnswers: @unchecked Sendable {
    private static let pause = Duration.seconds(1)

    private let queue: UsageQueue
    private let loop: EventLoop
    /// Those that were given since they were written down.
    private var given: [Series] = []
    private var timer: TimerToken?

    package init(_ queue: UsageQueue, on loop: EventLoop) {
        self.queue = queue
        self.loop = loop
    }

    /// The answers to the same question of the same caller.
    // Confined to its loop.
    package final class Series {
        fileprivate let event: UsageEvent
        fileprivate var count: Int64 = 0
        fileprivate var saved: Int64 = 0
        fileprivate var requestID = ""

        /// - Parameter event: what all of them have in common.
        package init(_ event: UsageEvent) { self.event = event }
    }

    package func add(_ series: Series, saving nanodollars: Int64, _ requestID: String) {
        if series.count == 0 { given.append(series) }
        series.count += 1
        series.saved += nanodollars
        series.requestID = requestID
        if timer == nil { timer = loop.schedule(at: .now() + Self.pause) { [weak self] in self?.flush() } }
    }

    /// Writes down what was given.
    package func flush() {
        if let timer { loop.cancel(timer) }
        timer = nil
        let given = self.given
        self.given = []
        let now = Timestamp.now()
        for series in given {
            queue.append(
                JournalEntry(
                    kept: series.event, calls: Int(series.count), saving: series.saved, series.requestID,
                    at: now),
                mustStay: false)
            (series.count, series.saved) = (0, 0)
        }
    }
}
