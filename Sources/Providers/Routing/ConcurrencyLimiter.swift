import Base

/// How many requests an upstream gets at once: more while it answers as fast as ever, fewer when the time to its first
/// token grows.
///
/// A gradient: the limit is multiplied by the ratio of the usual time to the recent one, and grows by its root.
package struct ConcurrencyLimiter: Equatable, Sendable {
    package static let least = 16.0
    package static let most = 4096.0
    private static let start = 1024.0
    /// An upstream may be this much slower than usual before it gets less.
    private static let tolerance = 2.0
    /// And by so many seconds besides, which say nothing where an answer takes milliseconds: then they are ours.
    private static let noise = 0.25
    private static let smoothing = 0.2
    private static let recentWeight = 0.1
    private static let usualWeight = 0.005

    private var exactLimit = start
    package private(set) var underWay = 0
    private var recent: Double?
    private var usual: Double?

    package init() {}

    package var limit: Int { Int(exactLimit) }

    /// Recent seconds to the first token.
    package var latency: Double? { recent }

    /// Whether one more may go; it must `leave`.
    package mutating func enter() -> Bool {
        guard underWay < limit else { return false }
        underWay += 1
        return true
    }

    /// It ended without telling how fast the upstream is.
    package mutating func leave() { underWay -= 1 }

    package mutating func leave(timeToFirstToken: Duration) {
        let seconds = Double(max(1, timeToFirstToken.nanoseconds)) / 1e9
        // Only a limit that is nearly used says anything about more.
        let isBusy = underWay * 2 >= limit
        underWay -= 1
        let recent = Self.mean(self.recent, seconds, Self.recentWeight)
        var usual = Self.mean(self.usual, seconds, Self.usualWeight)
        // What was slow for long and is fast again must not take as long to be believed.
        if usual > recent * 2 { usual *= 0.95 }
        (self.recent, self.usual) = (recent, usual)
        let gradient = max(0.5, min(1, (Self.tolerance * usual + Self.noise) / recent))
        guard isBusy || gradient < 1 else { return }
        let next = exactLimit * gradient + exactLimit.squareRoot()
        exactLimit = bounded(exactLimit * (1 - Self.smoothing) + next * Self.smoothing)
    }

    /// It was turned away, or given no answer in time.
    package mutating func leaveOverloaded() {
        underWay -= 1
        exactLimit = bounded(min(exactLimit, Double(max(underWay, 1)) * 2) * 0.9)
    }

    private func bounded(_ limit: Double) -> Double { max(Self.least, min(Self.most, limit)) }

    private static func mean(_ mean: Double?, _ value: Double, _ weight: Double) -> Double {
        mean.map { $0 + (value - $0) * weight } ?? value
    }
}
