import Base
import Identity
import JSON
import Loop
import Providers

/// What is known of organizations' own keys and policies. Shared by all loops.
package final class OwnRoutesMemory: Sendable {
    struct Entry: Sendable {
        var routes: OwnRoutes
        /// See `Caller.ownRoutes`.
        var generation: Int64
        /// See `InstanceUpstreams.version`.
        var version: Int
    }

    private let entries: Locked<ClockTable<UUID, Entry>>

    /// - Parameter capacity: organizations that have something of their own; more are read again and again.
    package init(capacity: Int = 10_000) { entries = Locked(ClockTable(capacity: capacity)) }

    func recall(_ organization: UUID) -> Entry? { entries.withLock { $0.value(for: organization) } }

    /// An upstream that stays as it was keeps what is known of how it fares.
    func learn(
        _ stored: StoredRouting, _ settings: [Upstream.Settings], of organization: UUID, version: Int
    ) throws -> Entry {
        let rules = try Self.rules(stored.policy)
        return entries.withLock { entries in
            let known = entries.value(for: organization)
            if let known, known.generation > stored.generation { return known }
            let upstreams = Upstream.keeping(known?.routes.upstreams.upstreams ?? [], for: settings)
            let routes = OwnRoutes(
                policy: rules.policy, providers: Set(stored.credentials.map(\.provider)),
                upstreams: UpstreamDirectory.Snapshot(upstreams),
                usesInstanceKeys: rules.usesInstanceKeys)
            let entry = Entry(routes: routes, generation: stored.generation, version: version)
            entries.set(entry, for: organization)
            return entry
        }
    }

    private static func rules(_ policy: [UInt8]?) throws(Problem) -> RoutingRules {
        guard let policy else { return RoutingRules() }
        do { return try RoutingRules(json: policy) } catch {
            throw Problem(
                .unavailable, code: "routing_unreadable",
                "This gateway cannot read the organization's policy of routing: a newer one may have written it. Set it anew.",
                retryAfterSeconds: 30, detail: "\(error)")
        }
    }
}

/// Finds what organizations have of their own: in memory, or in the database once for all who ask at the same time.
// Confined to its loop.
final class OwnRoutesFinder: @unchecked Sendable {
    private let loop: EventLoop
    private let memory: OwnRoutesMemory
    private let store: IdentityStore
    private let instance: InstanceUpstreams
    private var loading: [UUID: Task<OwnRoutesMemory.Entry, any Error>] = [:]

    init(
        on loop: EventLoop, _ memory: OwnRoutesMemory, _ store: IdentityStore, _ instance: InstanceUpstreams
    ) {
        self.loop = loop
        self.memory = memory
        self.store = store
        self.instance = instance
    }

    /// As they were when the caller was looked up, or newer.
    func routes(for caller: Caller) async throws -> OwnRoutes {
        if let known = known(for: caller) { return known }
        return try await load(caller.organization, reaching: caller.ownRoutes ?? 0)
    }

    /// The same where nothing has to be read.
    func known(for caller: Caller) -> OwnRoutes? {
        guard let generation = caller.ownRoutes else { return OwnRoutes.none }
        guard let known = memory.recall(caller.organization), known.generation >= generation,
            known.version == instance.version
        else { return nil }
        return known.routes
    }

    /// As they are now.
    func routes(of organization: UUID) async throws -> OwnRoutes {
        try await load(organization, reaching: .max)
    }

    @inline(never)
    private func load(_ organization: UUID, reaching generation: Int64) async throws -> OwnRoutes {
        if let running = loading[organization] {
            // It may have begun, and read, before the change that the caller knows of. The next has not.
            let entry = try await running.value
            if entry.generation >= generation { return entry.routes }
        }
        let task = loading[organization] ?? start(organization)
        return try await task.value.routes
    }

    /// A task of its own: whoever asked first may leave while others wait for the same.
    private func start(_ organization: UUID) -> Task<OwnRoutesMemory.Entry, any Error> {
        let task = Task(executorPreference: loop) { [self] in
            defer { loading[organization] = nil }
            let version = instance.version
            let stored = try await store.routing(of: organization)
            return try memory.learn(
                stored, instance.settings(for: stored.credentials, of: organization), of: organization,
                version: version)
        }
        loading[organization] = task
        return task
    }
}
