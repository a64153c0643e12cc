package import Base

/// What all loops of a process have counted and Redis has not been told yet.
package final class CacheStatistics: Sendable {
    /// Organizations and days. What does not fit is not counted.
    private static let largestCount = 10_000

    struct Place: Hashable {
        let organization: UUID
        let day: CacheDay
    }

    private let table = Locked<[Place: CacheCounts]>([:])

    /// What the process shows of itself, whoever it was for.
    private let hits, misses, coalesced, semanticHits, stored, corrupted, bypasses: Counter

    /// Once for a process and its `metrics`.
    package init(metrics: Metrics = Metrics()) {
        func counter(_ outcome: String) -> Counter {
            metrics.counter(
                "hivegate_cache_total", "What the cache of answers did for requests, and learned of them.",
                ["outcome": outcome])
        }
        hits = counter("hit")
        misses = counter("miss")
        coalesced = counter("coalesced")
        semanticHits = counter("semantic")
        stored = counter("stored")
        corrupted = counter("corrupted")
        bypasses = counter("bypass")
    }

    /// A request that did not ask the cache. Any thread may call.
    package func noteBypass() { bypasses.add() }

    /// Any thread may call.
    package func add(_ counts: CacheCounts, of organization: UUID, at time: Timestamp) {
        func add(_ count: Int, to counter: Counter) { if count > 0 { counter.add(count) } }
        add(counts.hits, to: hits)
        add(counts.misses, to: misses)
        add(counts.coalesced, to: coalesced)
        add(counts.semanticHits, to: semanticHits)
        add(counts.stored, to: stored)
        add(counts.corrupted, to: corrupted)
        putBack(counts, at: Place(organization: organization, day: CacheDay(time)))
    }

    func putBack(_ counts: CacheCounts, at place: Place) {
        table.withLock { table in
            guard table.count < Self.largestCount || table[place] != nil else { return }
            table[place, default: CacheCounts()] += counts
        }
    }

    /// All of it, which is then somebody else's to tell.
    func take() -> [Place: CacheCounts] {
        table.withLock { table in
            defer { table = [:] }
            return table
        }
    }
}
