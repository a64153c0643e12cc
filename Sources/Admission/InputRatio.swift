/// How many tokens a byte of a request becomes, as far as a model's answers have told: what all but one in a thousand
/// stay below.
package struct InputRatio: Sendable {
    /// A token is a byte at least.
    private static let bucketCount = 64
    /// Before so many were seen, `unlearned` is taken.
    private static let enough = 1000
    /// Then the older ones fade.
    private static let most = 100_000
    /// Of text in any language, and code; long numbers and encoded bytes may be more.
    private static let unlearned = 0.6
    private static let margin = 1.1
    /// What a provider puts around a request, the words for tools among it.
    package static let overhead = 400

    private var counts = [UInt32](repeating: 0, count: bucketCount)
    private var total = 0
    private var bound = unlearned

    package init() {}

    package mutating func learn(bytes: Int, tokens: Int) {
        // Of a short request what is around it is the larger part.
        guard bytes >= 512, tokens > 0 else { return }
        let bucket = min(Self.bucketCount - 1, tokens * Self.bucketCount / bytes)
        counts[bucket] += 1
        total += 1
        if total >= Self.enough, total % 64 == 0 { bound = newBound() }
        if total >= Self.most {
            for place in counts.indices { counts[place] /= 2 }
            total = counts.reduce(0) { $0 + Int($1) }
        }
    }

    private func newBound() -> Double {
        var left = total / 1000
        for bucket in stride(from: Self.bucketCount - 1, through: 0, by: -1) {
            left -= Int(counts[bucket])
            if left < 0 {
                return min(1, Double(bucket + 1) / Double(Self.bucketCount) * Self.margin)
            }
        }
        return Self.unlearned
    }

    /// The most that `bytes` are likely to become.
    package func tokens(in bytes: Int) -> Int { Int(Double(bytes) * bound) + Self.overhead }
}
