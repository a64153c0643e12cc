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

    package init() {}

    /// Any thread may call.
    package func add(_ counts: CacheCounts, of organization: UUID, at time: Timestamp) {
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
