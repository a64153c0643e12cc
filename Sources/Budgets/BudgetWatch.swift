package import Base
package import Identity

/// What time does to budgets: windows, overrides that end, thresholds, webhooks.
package struct BudgetWatch: Sendable {
    private let store: BudgetStore
    private let webhooks: BudgetWebhooks
    private let counters: BudgetCounters
    private let usual: Int64?
    private let announce: @Sendable (KeyChange) async -> Void
    private let takeBack: @Sendable ([UUID], UUID) async -> Void

    /// - Parameters:
    ///   - usual: what an organization's monthly budget is that never had one, in nano-dollars; nil: it gets none.
    ///   - announce: tells all processes of a change, once it holds.
    ///   - takeBack: has gateways give back what they may spend of limits, because less may be spent than before.
    package init(
        _ store: BudgetStore, _ webhooks: BudgetWebhooks, counters: BudgetCounters, usual: Int64? = nil,
        announce: @escaping @Sendable (KeyChange) async -> Void,
        takeBack: @escaping @Sendable ([UUID], UUID) async -> Void
    ) {
        self.store = store
        self.webhooks = webhooks
        self.counters = counters
        self.usual = usual
        self.announce = announce
        self.takeBack = takeBack
    }

    /// What a run could not do; it is tried again the next time.
    package struct Failure: Sendable {
        /// A budget, its window, or an organization.
        package let id: UUID
        package let error: any Error
    }

    /// Does all that is due. Of several processes that do so at the same time one does each thing.
    @discardableResult
    package func run() async throws -> [Failure] {
        var failures: [Failure] = []
        if let usual { failures += try await all { try await store.makeDefaults(nanodollars: usual) } }
        failures += try await all { try await store.keepWindows() }
        failures += try await all { try await store.endOverrides() }
        failures += try await all { try await store.recount() }
        while let (count, hasMore) = try await store.tell() {
            counters.told(count)
            if !hasMore { break }
        }
        counters.count(try await store.countByState())
        return failures
    }

    /// Makes the windows that lack, because nobody was there for long: without them budgets refuse nothing.
    package func begin() async throws -> [Failure] { try await all { try await store.keepWindows() } }

    /// Sends webhooks that are due, which may take as long as whoever they go to. Several processes may do so at the same time.
    package func deliver() async throws { counters.failed(try await webhooks.deliver()) }

    private func all(_ step: () async throws -> BudgetStore.Upkeep?) async throws -> [Failure] {
        var failures: [Failure] = []
        while let done = try await step() {
            for change in done.changes { await announce(change) }
            for (organization, limits) in done.lowered { await takeBack(limits, organization) }
            failures += done.failures.map { Failure(id: $0.id, error: $0.error) }
            if !done.hasMore { break }
        }
        return failures
    }
}
