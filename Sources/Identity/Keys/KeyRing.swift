package import Base
package import Loop

/// Finds the caller of a key: from memory, or from the database once for all who ask at the same time.
///
/// What is in memory counts only as long as no change of the organization's keys was announced since: each request
/// compares generations (`KeyGenerations`). Where Redis does not say, what is known is looked up again once it is
/// older than `freshness`. While the database is away, what is known goes on for up to `graceWhereConfirmed` as long as Redis
/// says that nothing has changed, and for up to `grace` after it said so last.
// Confined to its loop.
package final class KeyRing: @unchecked Sendable {
    package struct Limits: Sendable {
        /// Also where generations agree: should an announcement be lost with the process that made the change, this is
        /// how long it goes unnoticed.
        package var freshness = Duration.seconds(5)
        /// A key that is nobody's may become somebody's again: revived, or its owner let back in.
        package var freshnessOfNobody = Duration.seconds(1)
        package var grace = Duration.seconds(60)
        /// While Redis says that no change was announced: whoever makes one needs the database too.
        package var graceWhereConfirmed = Duration.seconds(600)
        /// A caller waits this long for a look-up; the look-up itself may go on.
        package var patience = Duration.seconds(2)
        /// After a look-up that failed, a known key is served from memory for so long before the next.
        package var pauseAfterFailure = Duration.seconds(1)
        /// Look-ups of keys that are not known, at once: known ones find room in the pool.
        package var unknownAtOnce = 2
        /// Those that wait for that.
        package var unknownWaiting = 64

        package init() {}
    }

    /// Finds the caller of a key by the key's digests; `nil` if there is none.
    package typealias Load = @Sendable ([KeyDigest]) async throws -> KnownCaller?

    /// The database did not say in time.
    package struct Slow: Error, Sendable {
        package init() {}
    }

    let loop: EventLoop
    let peppers: KeyPeppers
    let shared: SharedKeys
    let generations: KeyGenerations?
    let limits: Limits
    /// What is this old is looked up ahead.
    private let agingAfter: Duration
    let time: TimeSource
    let load: Load
    var loading: [KeyDigest: Loading] = [:]
    var placesTaken = 0
    var placeSeats: [PlaceSeat] = []

    /// Without `generations` the times of `limits` are all that bounds what memory is good for.
    package init(
        on loop: EventLoop, peppers: KeyPeppers, shared: SharedKeys, generations: KeyGenerations? = nil,
        limits: Limits = Limits(), time: TimeSource = .live, load: @escaping Load
    ) {
        self.loop = loop
        self.peppers = peppers
        self.shared = shared
        self.generations = generations
        self.limits = limits
        agingAfter = limits.freshness * 3 / 4
        self.time = time
        self.load = load
    }

    /// The caller that `key` belongs to; `nil` if it is nobody's, revoked or expired. Throws a `Problem` where too many
    /// that are nobody's came from `address`, or in all.
    package func caller(
        presenting key: APIKey, from address: @autoclosure () -> IPAddress? = nil
    ) async throws -> Caller? {
        guard let arrival = try await arrival(presenting: key, from: address()) else { return nil }
        return try await confirm(arrival) ? arrival.caller : nil
    }

    /// Who presents `key`, by what memory says, or the database where that knows nothing; `nil` if it is nobody's. For
    /// those who ask Redis about more than the generation.
    package func arrival(
        presenting key: APIKey, from address: @autoclosure () -> IPAddress? = nil
    ) async throws -> Arrival? {
        switch recall(key) {
        case .nobody: return nil
        case .known(let remembered): return Arrival(key, remembered.known, remembered)
        case .unknown(let digest):
            return try await meet(key, digest, from: address()).map { Arrival(key, $0) }
        }
    }

    /// Whether the caller is still the key's, by what Redis says now. If not, but the key is somebody's, the arrival
    /// says whose.
    package func confirm(_ arrival: Arrival) async throws -> Bool {
        // What the database has just said is as new as the request.
        let isNew = arrival.remembered == nil
        return try await confirm(
            arrival,
            by: isNew
                ? .generation(arrival.generation)
                : await generations?.current(arrival.caller.organization) ?? .unavailable)
    }

    /// The same where Redis was asked already; `reading` must be no older than the request.
    package func confirm(_ arrival: Arrival, by reading: KeyGenerations.Reading) async throws -> Bool {
        guard let remembered = arrival.remembered else {
            if case .generation(let current) = reading, current > arrival.generation {
                return arrive(arrival, try await lookUp(arrival.key, reaching: current))
            }
            return arrive(arrival, KnownCaller(arrival.caller, generation: arrival.generation))
        }
        guard judge(remembered, by: reading) == .right else {
            return arrive(arrival, try await find(remembered, of: arrival.key, by: reading))
        }
        arrival.confirm()
        return use(remembered, of: arrival.key, at: time.timestamp())
    }

    /// Whether what is remembered of a key is right by `reading`, and the key its caller's now; `confirm` without
    /// looking anything up.
    package func confirm(
        _ remembered: Remembered, of key: APIKey, by reading: KeyGenerations.Reading, at now: Timestamp
    ) -> Bool {
        judge(remembered, by: reading) == .right && use(remembered, of: key, at: now)
    }

    private func use(_ remembered: Remembered, of key: APIKey, at now: Timestamp) -> Bool {
        if remembered.isAging { renewAhead(key) }
        return used(remembered.known, at: now) != nil
    }

    private func arrive(_ arrival: Arrival, _ known: KnownCaller?) -> Bool {
        guard let known, used(known, at: time.timestamp()) != nil else { return false }
        arrival.renew(known)
        return true
    }

    // MARK: Memory

    /// What is remembered of a key.
    package struct Remembered: Sendable {
        package let known: KnownCaller
        let loadedAt: Instant
        let confirmedAt: Instant
        /// Whether it is looked up again even if its generation is still the current one.
        let isOld: Bool
        /// Whether it soon will be: so that no request of those that come all the time has to wait then.
        let isAging: Bool
        /// Whether a look-up has just failed.
        let isPaused: Bool
        /// As far as this process has heard.
        package let reached: Int64
    }

    package enum Recollection: Sendable {
        case known(Remembered)
        case nobody
        case unknown(KeyDigest)
    }

    /// What memory says, without waiting for anything.
    package func recall(_ key: APIKey) -> Recollection { recall(peppers.digest(of: key).digest) }

    private func recall(_ digest: KeyDigest) -> Recollection {
        switch shared.memory.recall(digest) {
        case .nothing: return .unknown(digest)
        case .nobody(let loadedAt):
            return time.instant() - loadedAt < limits.freshnessOfNobody ? .nobody : .unknown(digest)
        case .known(let entry, let isDistrusted):
            let now = time.instant()
            let age = now - entry.loadedAt
            return .known(
                Remembered(
                    known: entry.known, loadedAt: entry.loadedAt, confirmedAt: entry.confirmedAt,
                    isOld: isDistrusted || age >= limits.freshness,
                    isAging: age >= agingAfter && now >= entry.retryAt,
                    isPaused: now < entry.retryAt, reached: entry.reached))
        }
    }

    /// What may not even be a key: whatever has a digest that is remembered is one.
    package struct Presented: Sendable {
        package let key: APIKey
        fileprivate let digest: KeyDigest
    }

    package func present(_ text: ArraySlice<UInt8>) -> Presented {
        let key = APIKey(unchecked: text)
        return Presented(key: key, digest: peppers.digest(of: key).digest)
    }

    /// What memory says of it; nil for all but one that is known.
    package func recallKnown(_ presented: Presented) -> Remembered? {
        guard case .known(let remembered) = recall(presented.digest) else { return nil }
        return remembered
    }

    /// The caller that memory holds, if it is still right by what Redis says now; otherwise the one that the database
    /// has. `reading` must be no older than the request.
    // Neither this nor what looks up is inlined: a task keeps the largest frame that it ever had, and so does every
    // idle connection.
    @inline(never)
    private func find(
        _ remembered: Remembered, of key: APIKey, by reading: KeyGenerations.Reading
    ) async throws -> KnownCaller? {
        switch judge(remembered, by: reading) {
        case .right: remembered.known
        case .old: try await renew(remembered, key, by: reading)
        // No grace: without the database there is no answer.
        case .changed(let current): try await lookUp(key, reaching: current)
        }
    }

    private enum Verdict: Equatable {
        case right
        /// Worth a look-up, and good enough where that fails.
        case old
        /// The key may be revoked.
        case changed(Int64)
    }

    private func judge(_ remembered: Remembered, by reading: KeyGenerations.Reading) -> Verdict {
        let isDoubtful: Bool
        if remembered.reached > remembered.known.generation { return .changed(remembered.reached) }
        switch reading {
        case .generation(let current) where current > remembered.known.generation: return .changed(current)
        case .generation(remembered.known.generation), .unavailable: isDoubtful = false
        case .generation, .none: isDoubtful = generations?.canRestore ?? false
        }
        if !remembered.isOld && !isDoubtful { return .right }
        return remembered.isPaused && isInGrace(remembered, by: reading, at: time.instant()) ? .right : .old
    }

    /// Whether what is known goes on without the database.
    private func isInGrace(_ remembered: Remembered, by reading: KeyGenerations.Reading, at now: Instant)
        -> Bool
    {
        now - remembered.confirmedAt < limits.grace
            || Self.confirms(reading, remembered) && now - remembered.loadedAt < limits.graceWhereConfirmed
    }

    private static func confirms(_ reading: KeyGenerations.Reading, _ remembered: Remembered) -> Bool {
        if case .generation(remembered.known.generation) = reading { true } else { false }
    }

    /// Looks up what is known already. Where that fails, what is known goes on for a while.
    @inline(never)
    private func renew(
        _ remembered: Remembered, _ key: APIKey, by reading: KeyGenerations.Reading
    ) async throws -> KnownCaller? {
        let now = time.instant()
        do {
            return try await lookUp(key, reaching: remembered.known.generation)
        } catch {
            guard isInGrace(remembered, by: reading, at: now), error as? WaitFailure != .cancelled else {
                throw error
            }
            shared.memory.pause(
                peppers.digest(of: key).digest, until: now + limits.pauseAfterFailure,
                confirmedAt: Self.confirms(reading, remembered) ? now : nil)
            return remembered.known
        }
    }

    /// Looks up what is known already, and lets nobody wait for it.
    @inline(never)
    private func renewAhead(_ key: APIKey) {
        let digest = peppers.digest(of: key).digest
        guard loading[digest] == nil else { return }
        _ = start(digest, key) { [self] outcome in
            guard case .failure = outcome else { return }
            shared.memory.pause(digest, until: time.instant() + limits.pauseAfterFailure)
        }
    }

    /// The caller, unless the key has expired. Its use is noted.
    private func used(_ known: KnownCaller?, at now: Timestamp) -> Caller? {
        guard let caller = known?.caller else { return nil }
        if let end = caller.expiresAt, end <= now { return nil }
        shared.uses.note(caller.key, at: now)
        return caller
    }
}
