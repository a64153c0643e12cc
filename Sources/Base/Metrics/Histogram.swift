import Synchronization

/// Durations in buckets from 100 µs to a minute, fit for a cached hit as well as for a slow model.
package final class Histogram: Sendable {
    struct Bound: Sendable {
        let nanoseconds: Int64
        let text: String
    }

    struct Snapshot: Sendable {
        /// One for each bound, and one for what lies above the last.
        var counts: [UInt64]
        var nanoseconds: UInt64
    }

    static let bounds: [Bound] = [
        (100_000, "0.0001"), (250_000, "0.00025"), (500_000, "0.0005"), (1_000_000, "0.001"),
        (2_500_000, "0.0025"), (5_000_000, "0.005"), (10_000_000, "0.01"), (25_000_000, "0.025"),
        (50_000_000, "0.05"), (100_000_000, "0.1"), (250_000_000, "0.25"), (500_000_000, "0.5"),
        (1_000_000_000, "1"), (2_500_000_000, "2.5"), (5_000_000_000, "5"), (10_000_000_000, "10"),
        (30_000_000_000, "30"), (60_000_000_000, "60"),
    ].map { Bound(nanoseconds: $0, text: $1) }

    private final class Bucket: Sendable {
        let count = Atomic<UInt64>(0)
    }

    private let buckets: [Bucket] = (0...bounds.count).map { _ in Bucket() }
    private let nanoseconds = Atomic<UInt64>(0)

    package func observe(_ duration: Duration) { observe(nanoseconds: duration.nanoseconds) }

    package func observe(nanoseconds duration: Int64) {
        var low = 0
        var high = Self.bounds.count
        while low < high {
            let middle = (low + high) / 2
            if Self.bounds[middle].nanoseconds < duration { low = middle + 1 } else { high = middle }
        }
        buckets[low].count.wrappingAdd(1, ordering: .relaxed)
        nanoseconds.wrappingAdd(UInt64(max(0, duration)), ordering: .relaxed)
    }

    func snapshot() -> Snapshot {
        Snapshot(
            counts: buckets.map { $0.count.load(ordering: .relaxed) },
            nanoseconds: nanoseconds.load(ordering: .relaxed))
    }
}
