package import Base

/// What operators see of metering.
package struct MeteringCounters: Sendable {
    private let events: Counter
    private let durations: Histogram
    private let rejects: Counter
    private let recoveries: Counter
    private let orphans: Counter
    private let reconciled: Counter

    package init(in metrics: Metrics, of queue: UsageQueue) {
        events = metrics.counter(
            "hivegate_usage_calls_stored_total", "Calls whose usage came into the books.")
        durations = metrics.histogram(
            "hivegate_usage_drain_seconds", "How long it took to bring usage into the books.")
        metrics.gauge("hivegate_usage_waiting", "Calls whose usage is not in the books yet.") {
            Double(queue.count)
        }
        metrics.gauge(
            "hivegate_usage_lag_seconds",
            "For how long the call has been over that waits longest to come into the books; 0: none waits."
        ) { queue.lag(at: .now()).map { Double($0.nanoseconds) / 1e9 } ?? 0 }
        metrics.gauge(
            "hivegate_usage_dropped",
            "Calls that nobody pays for whose usage was not written down, for lack of room."
        ) { Double(queue.droppedCount) }
        rejects = metrics.counter(
            "hivegate_usage_rejected_total", "Calls whose usage the database does not take.")
        recoveries = metrics.counter(
            "hivegate_usage_recovered_total",
            "Calls whose usage was found in a journal that others left behind.")
        orphans = metrics.counter(
            "hivegate_orphaned_calls_total", "Calls whose gateway died before it could say what they cost.")
        reconciled = metrics.counter(
            "hivegate_grants_reconciled_nanodollars_total",
            "What was granted, and neither spent nor there any more.")
    }

    func drained(_ count: Int, in time: Duration) {
        events.add(count)
        durations.observe(time)
    }

    func rejected() { rejects.add() }
    func recovered(_ count: Int) { recoveries.add(count) }
    func orphaned() { orphans.add() }
    func gaveBack(_ nanodollars: Int64) { reconciled.add(Int(max(0, nanodollars))) }
}
