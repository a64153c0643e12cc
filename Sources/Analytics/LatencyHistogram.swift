import Glibc

/// How long something took, as counts by slot: a slot is 4·log2 of the microseconds, so that it is 19 % wide.
package struct LatencyHistogram: Equatable, Sendable {
    private var counts: [Int16: Int64] = [:]

    package init() {}

    package mutating func add(_ count: Int64, in slot: Int16) {
        if count > 0 { counts[slot, default: 0] += count }
    }

    package static func += (histogram: inout LatencyHistogram, more: LatencyHistogram) {
        for (slot, count) in more.counts { histogram.add(count, in: slot) }
    }

    /// The microseconds that so many of all did not exceed; nil where nothing was measured. Within a slot they are taken to lie
    /// evenly.
    package func quantile(_ share: Double) -> Double? {
        let total = counts.values.reduce(0, +)
        guard total > 0 else { return nil }
        var rank = share * Double(total)
        let slots = counts.sorted { $0.key < $1.key }
        for (slot, count) in slots {
            if rank <= Double(count) || slot == slots.last?.key {
                let low = Self.start(of: slot)
                return low + (Self.start(of: slot + 1) - low) * min(1, rank / Double(count))
            }
            rank -= Double(count)
        }
        return nil
    }

    private static func start(of slot: Int16) -> Double { exp2(Double(slot) / 4) }
}
