import Base

/// What the process knows of keys: whom each belongs to, and which are nobody's. Shared by the rings of all loops,
/// so that what one has learned the others know, also when the database has gone meanwhile.
package final class KeyMemory: Sendable {
    struct Entry: Sendable {
        /// `nil`: nobody's.
        var caller: Caller?
        var loadedAt: Instant
        /// Until then it is not looked up again: the last attempt failed a moment ago.
        var retryAt = Instant(nanoseconds: 0)
    }

    private let capacity: Int
    /// By the key's digest under the newest pepper: keys themselves are not kept.
    private let entries = Locked<[[UInt8]: Entry]>([:])

    /// `capacity` counts entries of both kinds. The older half goes when it is full.
    package init(capacity: Int = 20_000) { self.capacity = max(2, capacity) }

    package var count: Int { entries.withLock { $0.count } }

    /// Forgets everything: after a change that this process did not see in detail.
    package func clear() { entries.withLock { $0 = [:] } }

    func entry(_ digest: [UInt8]) -> Entry? { entries.withLock { $0[digest] } }

    func set(_ entry: Entry, for digest: [UInt8]) {
        entries.withLock { entries in
            if entries.count >= capacity, entries[digest] == nil {
                let oldest = entries.sorted { $0.value.loadedAt < $1.value.loadedAt }
                for (digest, _) in oldest.prefix(capacity / 2) { entries[digest] = nil }
            }
            entries[digest] = entry
        }
    }
}
