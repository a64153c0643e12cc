package import Base
import Synchronization

/// What the process knows of keys: whom each belongs to, and which are nobody's. Shared by the rings of all loops,
/// so that what one has learned the others know, also when the database has gone meanwhile.
///
/// It lies in parts with a lock each, so that a lock is held for one access to one small table. Keys themselves are
/// not kept, only their digests under the newest pepper.
package final class KeyMemory: Sendable {
    /// A key that was found.
    struct Entry: Sendable {
        var known: KnownCaller
        /// When the look-up began.
        let loadedAt: Instant
        /// When Redis said last, after look-ups had begun to fail, that nothing has changed since.
        var confirmedAt: Instant
        /// The generation that its organization's keys are known to have reached. Where that is beyond the entry's
        /// own, the entry says nothing but that there was such a key.
        var reached: Int64 = 0
        /// Until then it is not looked up again: the last attempt failed a moment ago.
        var retryAt = Instant(nanoseconds: 0)

        init(known: KnownCaller, loadedAt: Instant) {
            (self.known, self.loadedAt, confirmedAt) = (known, loadedAt, loadedAt)
        }
    }

    enum Recollection: Sendable {
        /// A distrusted entry was loaded before something that may have changed it.
        case known(Entry, isDistrusted: Bool)
        /// Nobody's, at that moment.
        case nobody(Instant)
        case nothing
    }

    private struct Part {
        var known: ClockTable<KeyDigest, Entry>
        var nobody: ClockTable<KeyDigest, Instant>
    }

    private static let largestPartCount = 72
    /// A table with fewer entries is not worth dividing.
    private static let smallestPart = 256

    private let parts: [Locked<Part>]
    /// What was loaded before is to be looked up again.
    private let staleBefore = Atomic<UInt64>(0)

    /// Keys that were found and keys that were not are bounded apart, so that made-up ones push no others out. A
    /// divided memory holds up to an eighth more, because its parts do not fill evenly.
    package init(knownCapacity: Int = 100_000, nobodyCapacity: Int = 50_000) {
        let count = min(Self.largestPartCount, max(1, knownCapacity / Self.smallestPart))
        func share(_ capacity: Int) -> Int {
            count == 1 ? max(1, capacity) : (capacity + capacity / 8) / count
        }
        parts = (0..<count).map { _ in
            Locked(
                Part(
                    known: ClockTable(capacity: share(knownCapacity)),
                    nobody: ClockTable(capacity: share(nobodyCapacity))))
        }
    }

    package var knownCount: Int { parts.reduce(0) { sum, part in sum + part.withLock { $0.known.count } } }
    package var nobodyCount: Int { parts.reduce(0) { sum, part in sum + part.withLock { $0.nobody.count } } }

    // MARK: For the rings

    func recall(_ digest: KeyDigest) -> Recollection {
        let limit = staleBefore.load(ordering: .relaxed)
        return part(of: digest).withLock { part in
            if let entry = part.known.value(for: digest) {
                return .known(entry, isDistrusted: entry.loadedAt.nanoseconds < limit)
            }
            return part.nobody.value(for: digest).map { .nobody($0) } ?? .nothing
        }
    }

    /// What a look-up has found. One that began and read earlier than what is known already is dropped.
    func learn(_ known: KnownCaller?, of digest: KeyDigest, loadedAt: Instant) {
        part(of: digest).withLock { part in
            guard let known else {
                part.known.remove(digest)
                part.nobody.set(loadedAt, for: digest)
                return
            }
            if let other = part.known.value(for: digest), other.loadedAt >= loadedAt,
                other.known.generation > known.generation
            {
                return
            }
            part.nobody.remove(digest)
            var entry = Entry(known: known, loadedAt: loadedAt)
            entry.reached = part.known.value(for: digest)?.reached ?? 0
            part.known.set(entry, for: digest)
        }
    }

    /// A look-up has failed: `digest` is not looked up again until `instant`. At `confirmation` Redis said that nothing has
    /// changed.
    func pause(_ digest: KeyDigest, until instant: Instant, confirmedAt confirmation: Instant? = nil) {
        part(of: digest).withLock { part in
            guard var entry = part.known.value(for: digest) else { return }
            entry.retryAt = instant
            if let confirmation { entry.confirmedAt = max(entry.confirmedAt, confirmation) }
            part.known.set(entry, for: digest)
        }
    }

    private func part(of digest: KeyDigest) -> Locked<Part> { parts[digest.place(among: parts.count)] }

    // MARK: After changes

    /// What was read before each organization's keys reached that generation is not believed any more, nor is that a key
    /// is nobody's: one of those may have come back. The keys stay known, so that made-up ones do not hold them up. A
    /// part at a time, so that no loop waits for all of it.
    package func overtake(_ changes: [UUID: Int64]) async {
        for part in parts {
            part.withLock { part in
                part.nobody.removeAll()
                part.known.updateAll { entry in
                    guard let generation = changes[entry.known.caller.organization] else { return }
                    entry.reached = max(entry.reached, generation)
                }
            }
            await Task.yield()
        }
    }

    /// All that is known is to be looked up again; until that succeeds it goes on as old.
    package func distrust(at now: Instant) {
        staleBefore.store(now.nanoseconds, ordering: .relaxed)
        for part in parts { part.withLock { $0.nobody.removeAll() } }
    }
}
