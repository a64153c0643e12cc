package import Base
package import Loop

/// A loop's memory of keys: whom each belongs to, and which are nobody's.
///
/// A known key is looked up again once its entry is older than `freshness`; while the database is away, an entry
/// goes on for up to `grace`. Callers with the same unknown key share one look-up.
// Confined to its loop.
package final class KeyRing: @unchecked Sendable {
    package struct Limits: Sendable {
        package var freshness = Duration.seconds(5)
        package var grace = Duration.seconds(60)
        /// How long a key stays unknown. New keys are shown only after they are stored, so this is no delay.
        package var negativeFreshness = Duration.seconds(5)
        /// Entries of either kind. The oldest half goes when it is full.
        package var capacity = 20_000

        package init() {}
    }

    /// Finds the caller of a key by the key's digests; `nil` if there is none.
    package typealias Load = @Sendable ([[UInt8]]) async throws -> Caller?

    private struct Entry {
        var caller: Caller?
        var loadedAt: Instant
    }

    private let loop: EventLoop
    private let peppers: KeyPeppers
    private let limits: Limits
    private let time: TimeSource
    private let load: Load
    /// By the key's digest under the newest pepper: keys themselves are not kept.
    private var entries: [[UInt8]: Entry] = [:]
    private var loading: [[UInt8]: Task<Caller?, any Error>] = [:]

    package init(
        on loop: EventLoop, peppers: KeyPeppers, limits: Limits = Limits(), time: TimeSource = .live,
        load: @escaping Load
    ) {
        self.loop = loop
        self.peppers = peppers
        self.limits = limits
        self.time = time
        self.load = load
    }

    package var count: Int { entries.count }

    /// The caller that `key` belongs to; `nil` if it is nobody's, revoked or expired.
    package func caller(presenting key: APIKey) async throws -> Caller? {
        let digest = peppers.digest(of: key).digest
        let known = entries[digest]
        if let known, time.instant() - known.loadedAt < freshness(of: known) { return valid(known.caller) }
        do {
            return valid(try await reload(digest, key))
        } catch {
            if let caller = known?.caller, let known, time.instant() - known.loadedAt < limits.grace {
                return valid(caller)
            }
            throw error
        }
    }

    /// Forgets everything: after a change that this process did not see in detail.
    package func clear() { entries = [:] }

    private func freshness(of entry: Entry) -> Duration {
        entry.caller == nil ? limits.negativeFreshness : limits.freshness
    }

    private func valid(_ caller: Caller?) -> Caller? {
        guard let caller else { return nil }
        if let end = caller.expiresAt, end <= time.timestamp() { return nil }
        return caller
    }

    private func reload(_ digest: [UInt8], _ key: APIKey) async throws -> Caller? {
        if let running = loading[digest] { return try await running.value }
        let digests = peppers.digests(of: key)
        // A task of its own: the first caller may leave while others wait for the same answer.
        let task = Task(executorPreference: loop) { [load] in try await load(digests) }
        loading[digest] = task
        defer { loading[digest] = nil }
        let caller = try await task.value
        makeRoom()
        entries[digest] = Entry(caller: caller, loadedAt: time.instant())
        return caller
    }

    private func makeRoom() {
        guard entries.count >= limits.capacity else { return }
        let oldest = entries.sorted { $0.value.loadedAt < $1.value.loadedAt }
        for (digest, _) in oldest.prefix(max(1, limits.capacity / 2)) { entries[digest] = nil }
    }
}
