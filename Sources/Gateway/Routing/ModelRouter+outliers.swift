import Base
import Providers

extension ModelRouter {
    /// Compares those who serve the same model, and has those who do far worse than the others asked last for a while.
    ///
    /// Only those of one owner are compared: an organization's own upstreams must not say what is usual for everybody.
    static func leaveOutliersOut(of group: [Candidate], at now: Instant) {
        var peers: [UUID?: [(upstream: Upstream, record: OutlierWatch.Record)]] = [:]
        for candidate in group {
            guard case .upstream(let upstream) = candidate.place else { continue }
            let health = upstream.health(at: now)
            let owner = upstream.settings.owner
            guard health.isOpen(at: now), !health.isLeftOut,
                !peers[owner, default: []].contains(where: { $0.upstream === upstream })
            else { continue }
            peers[owner, default: []].append((upstream, health.recent))
        }
        for peers in peers.values where peers.count > 1 {
            for index in OutlierWatch.outliers(among: peers.map(\.record)) {
                peers[index].upstream.leaveOut(at: now)
            }
        }
    }
}
