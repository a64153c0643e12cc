package import Base
package import Loop

/// Finds the caller of a key: from memory, or from the database once for all who ask at the same time.
///
/// A known key is looked up again once its entry is older than `freshness`. While the database is away or slow, an
/// entry goes on for up to `grace`.
// Confined to its loop.
package final class KeyRing: @unchecked Sendable {
    package struct Limits: Sendable {
        package var freshness = Duration.seconds(5)
        package var grace = Duration.seconds(60)
        /// A caller waits this long for a look-up; the look-up itself may go on.
        package var patience = Duration.seconds(2)
        /// After a look-up that failed, a known key is served from memory for so long before the next.
        package var pauseAfterFailure = Duration.seconds(1)

        package init() {}
    }

    /// Finds the caller of a key by the key's digests; `nil` if there is none.
    package typealias Load = @Sendable ([[UInt8]]) async throws -> Caller?

    /// The database did not say in time.
    package struct Slow: Error, Sendable {
        package init() {}
    }

    /// A look-up under way, and those who wait for it.
    // Confined to the ring's loop.
    private final class Loading: @unchecked Sendable {
        var outcome: Result<Caller?, any Error>?
        var seats: [Waiter] = []
    }

    private let loop: EventLoop
    private let peppers: KeyPeppers
    private let memory: KeyMemory
    private let limits: Limits
    private let time: TimeSource
    private let load: Load
    private var loading: [[UInt8]: Loading] = [:]

    package init(
        on loop: EventLoop, peppers: KeyPeppers, memory: KeyMemory, limits: Limits = Limits(),
        time: TimeSource = .live, load: @escaping Load
    ) {
        self.loop = loop
        self.peppers = peppers
        self.memory = memory
        self.limits = limits
        self.time = time
        self.load = load
    }

    /// The caller that `key` belongs to; `nil` if it is nobody's, revoked or expired.
    package func caller(presenting key: APIKey) async throws -> Caller? {
        let digest = peppers.digest(of: key).digest
        switch recall(digest) {
        case .known(let caller): return caller
        case .unknown: return valid(try await lookUp(digest, key))
        case .old: return valid(try await renew(digest, key))
        }
    }

    private enum Recollection {
        case known(Caller?)
        case unknown
        /// It is to be looked up again.
        case old
    }

    // Neither this nor `renew` is inlined: a task keeps the largest frame that it ever had, and with both in it
    // that of `caller` took 3 KB of every idle connection.
    @inline(never)
    private func recall(_ digest: [UInt8]) -> Recollection {
        guard let known = memory.entry(digest) else { return .unknown }
        let now = time.instant()
        if now - known.loadedAt < limits.freshness { return .known(valid(known.caller)) }
        if isUsable(known, at: now), now < known.retryAt { return .known(valid(known.caller)) }
        return .old
    }

    private func isUsable(_ known: KeyMemory.Entry, at now: Instant) -> Bool {
        known.caller != nil && now - known.loadedAt < limits.grace
    }

    /// Looks up what is known already. Where that fails, what is known goes on for a while.
    @inline(never)
    private func renew(_ digest: [UInt8], _ key: APIKey) async throws -> Caller? {
        let now = time.instant()
        do {
            return try await lookUp(digest, key)
        } catch {
            guard var known = memory.entry(digest), isUsable(known, at: now),
                error as? WaitFailure != .cancelled
            else { throw error }
            known.retryAt = now + limits.pauseAfterFailure
            memory.set(known, for: digest)
            return known.caller
        }
    }

    private func valid(_ caller: Caller?) -> Caller? {
        guard let caller else { return nil }
        if let end = caller.expiresAt, end <= time.timestamp() { return nil }
        return caller
    }

    private func lookUp(_ digest: [UInt8], _ key: APIKey) async throws -> Caller? {
        let loading = loading[digest] ?? start(digest, key)
        let seat = Waiter(loop)
        loading.seats.append(seat)
        let deadline = Instant.now() + limits.patience
        while true {
            if let outcome = loading.outcome { return try outcome.get() }
            do throws(WaitFailure) {
                try await seat.wait(until: deadline)
            } catch {
                if error == .timedOut { throw Slow() }
                throw error
            }
        }
    }

    /// A task of its own: whoever asked first may leave while others wait for the same answer.
    private func start(_ digest: [UInt8], _ key: APIKey) -> Loading {
        let started = Loading()
        loading[digest] = started
        let digests = peppers.digests(of: key)
        loop.spawn { [self] in
            do {
                let caller = try await load(digests)
                memory.set(KeyMemory.Entry(caller: caller, loadedAt: time.instant()), for: digest)
                started.outcome = .success(caller)
            } catch {
                started.outcome = .failure(error)
            }
            loading[digest] = nil
            for seat in started.seats { seat.wake() }
        }
        return started
    }
}
