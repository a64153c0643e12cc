package import Base

/// Notices an upstream that does much worse than others who serve the same model, and leaves it out for a while: it is
/// asked last, not never. One that fails most of the time is the breaker's.
package struct OutlierWatch: Equatable, Sendable {
    package struct Limits: Equatable, Sendable {
        /// What happened longer ago is forgotten.
        package var window = Duration.seconds(60)
        /// Fewer requests than this within the window tell nothing of an upstream.
        package var leastRequests = 20
        /// The same of all its peers together.
        package var leastPeerRequests = 10
        /// How much larger than its peers' the share of its failures must be, in hundredths.
        package var leastDistance = 20
        /// By how many standard deviations it must be larger: with fewer it may be chance.
        package var leastDeviations = 3.0
        /// How many times the usual time to the first token is slow.
        package var slowness = 3
        /// So many others say what is usual.
        package var leastTimedPeers = 2
        /// For how long it is left out the first time; each time it is as long again.
        package var shortestPause = Duration.seconds(30)
        package var longestPause = Duration.seconds(300)

        package init() {}
    }

    /// What happened within the window.
    package struct Record: Equatable, Sendable {
        package var requests = 0
        package var failures = 0
        /// Streams that have begun, and how long that took them together.
        package var begun = 0
        package var timeToBegin = Duration.zero

        package init() {}

        static func + (one: Record, other: Record) -> Record {
            var sum = one
            sum.requests += other.requests
            sum.failures += other.failures
            sum.begun += other.begun
            sum.timeToBegin += other.timeToBegin
            return sum
        }
    }

    private let limits: Limits
    private var windowStart = Instant(nanoseconds: 0)
    private var recent = Record()
    private var earlier = Record()
    private var leftOutUntil: Instant?
    /// How often it was left out in a row.
    private var rounds = 0

    package init(_ limits: Limits = Limits()) { self.limits = limits }

    // MARK: What happens

    /// - Parameter timeToFirstToken: of a stream; whole answers take as long as they are.
    package mutating func succeeded(timeToFirstToken: Duration?, at now: Instant) {
        turn(at: now)
        recent.requests += 1
        guard let timeToFirstToken else { return }
        recent.begun += 1
        recent.timeToBegin += timeToFirstToken
    }

    package mutating func failed(at now: Instant) {
        turn(at: now)
        recent.requests += 1
        recent.failures += 1
    }

    package func record(at now: Instant) -> Record {
        var watch = self
        watch.turn(at: now)
        return watch.recent + watch.earlier
    }

    /// The window is two halves; the older one falls away when the newer is full.
    private mutating func turn(at now: Instant) {
        // In nanoseconds: this runs for every answer, and to divide a duration is slow.
        let (age, window) = ((now - windowStart).nanoseconds, limits.window.nanoseconds)
        guard age >= window / 2 else { return }
        earlier = age >= window ? Record() : recent
        recent = Record()
        windowStart = now
    }

    // MARK: Being left out

    package func isLeftOut(at now: Instant) -> Bool { leftOutUntil.map { now < $0 } ?? false }

    /// It comes back by itself, and then nothing is held against it.
    package mutating func leaveOut(at now: Instant) {
        if isLeftOut(at: now) { return }
        // One that did well for long has mended its ways.
        if let last = leftOutUntil, now - last >= limits.longestPause { rounds = 0 }
        rounds += 1
        leftOutUntil = now + min(limits.shortestPause * rounds, limits.longestPause)
        (recent, earlier) = (Record(), Record())
    }

    // MARK: Who does worse

    /// Those of `records`, which are of the upstreams that are asked for the same, who do far worse than the others, the
    /// worst first. At most half of them, so that somebody is left.
    package static func outliers(among records: [Record], _ limits: Limits = Limits()) -> [Int] {
        let found = records.indices.compactMap { index -> (index: Int, excess: Double)? in
            let peers = records.indices.filter { $0 != index }.map { records[$0] }
            guard let excess = limits.excess(of: records[index], over: peers) else { return nil }
            return (index, excess)
        }
        return found.sorted { ($0.excess, $1.index) > ($1.excess, $0.index) }.prefix(records.count / 2)
            .map(\.index)
    }
}

extension OutlierWatch.Limits {
    /// How much worse than its peers one does, where that is far worse: failures count for more than slowness.
    fileprivate func excess(of record: OutlierWatch.Record, over peers: [OutlierWatch.Record]) -> Double? {
        if let distance = failureDistance(record, peers) { return 1 + distance }
        guard let usual = usualTime(of: peers), record.begun >= leastRequests else { return nil }
        let time = record.timeToBegin.nanoseconds / Int64(record.begun)
        guard time >= usual * Int64(slowness) else { return nil }
        return 1 - Double(usual) / Double(max(1, time))
    }

    /// The difference of two shares, where it is large and hardly chance.
    private func failureDistance(_ record: OutlierWatch.Record, _ peers: [OutlierWatch.Record]) -> Double? {
        let others = peers.reduce(OutlierWatch.Record(), +)
        guard record.requests >= leastRequests, others.requests >= leastPeerRequests else { return nil }
        let (own, theirs) = (Double(record.requests), Double(others.requests))
        let distance = Double(record.failures) / own - Double(others.failures) / theirs
        let share = Double(record.failures + others.failures) / (own + theirs)
        let deviation = (share * (1 - share) * (1 / own + 1 / theirs)).squareRoot()
        guard distance * 100 >= Double(leastDistance), distance >= leastDeviations * deviation else {
            return nil
        }
        return distance
    }

    /// The median of what those take who have begun often enough.
    private func usualTime(of peers: [OutlierWatch.Record]) -> Int64? {
        let times = peers.filter { $0.begun >= leastRequests }
            .map { $0.timeToBegin.nanoseconds / Int64($0.begun) }.sorted()
        guard times.count >= max(1, leastTimedPeers) else { return nil }
        // Of two in the middle the slower one: who is a little slow is not left out.
        return max(1, times[times.count / 2])
    }
}
