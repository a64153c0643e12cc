import Glibc

/// How long something took, as counts by slot: a slot is 4·log2 of the microseconds, so that it is 19 % wide.
package struct LatencyHistogram: Equatable, Sendable {
    /// By slot, up to the last that has any.
    private var counts: [Int64] = []
    /// Longer than any latency: 2^63 microseconds.
    private static let mostSlots = 252

    package init() {}

    /// By the end of the answer, and by its first byte.
    struct Pair {
        var whole = LatencyHistogram()
        var firstToken = LatencyHistogram()

        private static let size = 18

        /// Of each slot its number in two bytes, and the two counts in eight each, the highest byte first.
        init(_ bytes: [UInt8]) {
            bytes.withUnsafeBytes { bytes in
                for start in stride(from: 0, to: bytes.count - Self.size + 1, by: Self.size) {
                    let slot = Int16(bigEndian: bytes.loadUnaligned(fromByteOffset: start, as: Int16.self))
                    func count(_ offset: Int) -> Int64 {
                        Int64(bigEndian: bytes.loadUnaligned(fromByteOffset: start + offset, as: Int64.self))
                    }
                    whole.add(count(2), in: Int(slot))
                    firstToken.add(count(10), in: Int(slot))
                }
            }
        }
    }

    mutating func add(_ count: Int64, in slot: Int) {
        guard count > 0, 0..<Self.mostSlots ~= slot else { return }
        if slot >= counts.count {
            counts += repeatElement(0, count: slot + 1 - counts.count)
        }
        counts[slot] += count
    }

    package static func += (histogram: inout LatencyHistogram, more: LatencyHistogram) {
        if histogram.counts.isEmpty {
            histogram = more
            return
        }
        for slot in more.counts.indices where more.counts[slot] > 0 {
            histogram.add(more.counts[slot], in: slot)
        }
    }

    /// The microseconds that so many of all did not exceed; nil where nothing was measured. Within a slot they are taken to lie
    /// evenly.
    package func quantile(_ share: Double) -> Double? {
        let total = counts.reduce(0, +)
        guard total > 0 else { return nil }
        var rank = share * Double(total)
        for (slot, count) in counts.enumerated() where count > 0 {
            if rank <= Double(count) || slot == counts.count - 1 {
                let low = Self.start(of: slot)
                return low + (Self.start(of: slot + 1) - low) * min(1, rank / Double(count))
            }
            rank -= Double(count)
        }
        return nil
    }

    private static func start(of slot: Int) -> Double { exp2(Double(slot) / 4) }
}
