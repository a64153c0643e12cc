package import Admission
package import Base
import Loop
package import Postgres
package import Redis

/// Takes care of what others have left behind: journals that nobody drains, holds of which nobody speaks any more, and
/// grants of which Redis has lost what was left.
///
/// Every process does it; what two do at once is done once.
// Confined to its loop.
package final class Recovery: @unchecked Sendable {
    package struct Patience: Sendable {
        /// Whoever wrote an entry drains it within that.
        package var entries = Duration.seconds(10)
        /// How long a loop may be silent before its requests count as lost.
        package var holds = Duration.seconds(10)
        /// Holds are looked for as long after a loop has fallen silent, or this process has begun.
        package var search = Duration.seconds(60)
        /// A grant may be on its way to Redis as long.
        package var grants = Duration.seconds(15)
        /// What the database gave for a request alone, and nobody has settled since, is given back after that.
        package var directGrants = Gatekeeper.Bounds().longestDirectGrant
        /// Limits are looked at again after that.
        package var limits = Duration.seconds(60)

        package init() {}
    }

    /// Limits that are looked at in one round.
    private static let mostLimits: Int64 = 500

    private let store: UsageStore
    private let limits: LimitStore
    private let journals: Journals
    private let gatekeeper: Gatekeeper
    private let counters: MeteringCounters
    private let logger: Logger
    private let patience: Patience
    /// The loops that lived at the last look.
    private var living: Set<Int64> = []
    private var searchesUntil: Instant

    package init(
        _ pool: PostgresPool, _ redis: RedisClient, _ gatekeeper: Gatekeeper, counters: MeteringCounters,
        logger: Logger, patience: Patience = Patience()
    ) {
        store = UsageStore(pool)
        limits = LimitStore(pool)
        journals = Journals(redis: redis)
        self.gatekeeper = gatekeeper
        self.counters = counters
        self.logger = logger
        self.patience = patience
        searchesUntil = .now() + patience.search
    }

    /// What was found.
    package struct Outcome: Equatable, Sendable {
        /// Whose usage came into the books.
        package var calls = 0
        /// Of them, those that were lost with their gateways.
        package var orphans = 0
        /// Given back.
        package var nanodollars: Int64 = 0
    }

    /// One round of everything.
    package func run() async throws {
        try await drainJournals()
        try await searchHolds()
        for (organization, limits) in try await limits.due(
            after: patience.limits, most: Self.mostLimits)
        {
            try await reconcile(limits, of: organization)
        }
    }

    /// Looks for holds where some loop has died.
    private func searchHolds() async throws {
        guard let living = try await gatekeeper.livingWorkers().map(Set.init) else {
            searchesUntil = .now() + patience.search
            return
        }
        if !self.living.isSubset(of: living) { searchesUntil = .now() + patience.search }
        self.living = living
        guard Instant.now() < searchesUntil else { return }
        for (organization, _) in try await limits.due(after: .zero, most: Self.mostLimits) {
            try await releaseOrphans(of: organization)
        }
    }

    /// Everything that there is, once.
    ///
    /// - Parameter takingBack: whether gateways are to have nothing left.
    package func runWholly(takingBack: Bool) async throws -> Outcome {
        // Where Redis is new, all who live have the time to say so first.
        while try await gatekeeper.livingWorkers() == nil {
            try await store.loop.sleep(for: .milliseconds(50))
        }
        var outcome = Outcome(calls: try await drainJournals())
        let due = try await limits.due(after: .zero, most: .max)
        for (organization, _) in due { outcome.orphans += try await releaseOrphans(of: organization) }
        outcome.calls += try await drainJournals()
        for (organization, limits) in due {
            let (orphans, given) = try await settle(limits, of: organization, takingBack: takingBack)
            outcome.orphans += orphans
            outcome.nanodollars += given
        }
        return outcome
    }

    // MARK: Journals

    /// Brings what others have left in journals into the books; says how many calls that were.
    @discardableResult
    package func drainJournals() async throws -> Int {
        var count = 0
        while true {
            let before = Timestamp.now() + (.zero - patience.entries)
            let found = try await journals.entries(before: before, most: UsageDrain.batch)
            try await store.storeOrPutAside(found, counters: counters, logger: logger)
            await journals.trim(found)
            count += found.count
            counters.recovered(found.count)
            // What Redis did not take out now it does in the next round.
            if found.count < UsageDrain.batch { return count }
        }
    }

    // MARK: Holds

    /// Ends the holds of those who died; says how many.
    @discardableResult
    package func releaseOrphans(of organization: UUID) async throws -> Int {
        var count = 0
        for hold in try await gatekeeper.orphans(of: organization, after: patience.holds) {
            // It may have told the database and not Redis what it cost.
            let known = try await store.charges(of: hold.note.id)
            let costs = hold.parts.map { part in known?.first { $0.limit == part.limit }?.nanodollars ?? 0 }
            let item = known == nil ? JournalEntry(orphan: hold, of: organization, at: .now()) : nil
            let isReleased = try await gatekeeper.release(
                hold, of: organization, at: costs,
                journal: item.map { Gatekeeper.JournalItem(id: $0.id, bytes: $0.bytes) })
            guard isReleased, item != nil else { continue }
            count += 1
            tell(of: hold.note, of: organization)
        }
        return count
    }

    private func tell(of orphan: HoldNote, of organization: UUID) {
        counters.orphaned()
        logger.warning(
            "a call was lost with its gateway", ("request", "\(orphan.requestID)"),
            ("organization", "\(organization)"))
    }

    // MARK: Grants

    /// Sets what is granted to what gateways can still spend; says how much was given back.
    ///
    /// - Parameter takingBack: whether gateways are to have nothing left.
    @discardableResult
    package func reconcile(
        _ limits: [UUID], of organization: UUID, takingBack: Bool = false
    ) async throws -> Int64 {
        try await settle(limits, of: organization, takingBack: takingBack).given
    }

    /// The same; and says how many requests were lost that the database had paid for alone.
    private func settle(
        _ limits: [UUID], of organization: UUID, takingBack: Bool
    ) async throws -> (orphans: Int, given: Int64) {
        let (living, now) = (try await gatekeeper.livingWorkers(), Timestamp.now())
        var orphans = 0
        // They come into the books first, so that they are found again by whoever comes after one that died here.
        for lost in try await self.limits.lost(limits, of: organization, patience, living, at: now) {
            guard try await store.charges(of: lost.note.id) == nil else { continue }
            // It has ended when it began, and so it is one event whoever finds it.
            let entry = JournalEntry(
                orphan: lost.note, since: lost.since, worst: lost.worst, of: organization, at: lost.since)
            // Another may have found it meanwhile.
            guard try await store.storeOrPutAside([entry], counters: counters, logger: logger) > 0 else {
                continue
            }
            orphans += 1
            tell(of: lost.note, of: organization)
        }
        let given = try await self.limits.reconcile(limits, of: organization, patience, living, at: now) {
            limits in
            try await gatekeeper.accounts(of: limits, in: organization, takingBack: takingBack)
        }
        counters.gaveBack(given)
        return (orphans, given)
    }
}
