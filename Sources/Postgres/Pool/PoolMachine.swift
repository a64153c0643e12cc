import Base

/// Who may have which connection, and when one is opened, checked or closed. It does no I/O: events come in,
/// actions go out.
struct PoolMachine: Sendable {
    typealias Connection = Int
    typealias Request = Int

    enum Action: Equatable, Sendable {
        case open(Connection)
        case lease(Connection, to: Request)
        case refuse(Request, Refusal)
        /// Ask the connection for a sign of life; the answer is `checked`.
        case check(Connection)
        case close(Connection)
    }

    enum Refusal: Equatable, Sendable {
        /// All connections were in use until the wait was over, or too many wait already.
        case exhausted
        case unavailable
        case closed
    }

    /// Why a connection could not be opened.
    enum OpeningFailure: Sendable {
        /// Nobody answers: everybody who waits is told at once.
        case unreachable
        /// The server is there and takes no more sessions: those it has may still serve who waits.
        case saturated
    }

    private enum State: Equatable {
        case opening
        case idle(since: Instant, checkAt: Instant)
        case leased(Request)
        case checking(idleSince: Instant)
    }

    private struct Entry {
        var state: State
        var expires = Instant.never
    }

    private struct Pending {
        let request: Request
        let deadline: Instant
    }

    let limits: PoolLimits
    private var entries: [Connection: Entry] = [:]
    /// Idle connections, the one used last at the end: it is taken first, so that the others may grow old.
    private var idle: [Connection] = []
    private var pending: [Pending] = []
    private var nextConnection = 0
    private var random: SeededGenerator

    private(set) var isClosed = false
    /// Since when the database cannot be reached.
    private(set) var isDown = false
    private var since: Instant
    /// No connection is opened before this.
    private(set) var nextAttempt = Instant(nanoseconds: 0)
    private var attempt = 0
    private var failures = 0
    private var leases = 0
    private var refusals = 0

    init(limits: PoolLimits, seed: UInt64, at now: Instant) {
        self.limits = limits
        random = SeededGenerator(seed: seed)
        since = now
    }

    var health: PoolHealth {
        var health = PoolHealth()
        health.idle = idle.count
        for entry in entries.values {
            switch entry.state {
            case .opening: health.opening += 1
            case .leased: health.leased += 1
            case .idle, .checking: break
            }
        }
        health.open = entries.count - health.opening
        health.waiting = pending.count
        health.failures = failures
        health.isUp = !isDown
        health.since = since
        health.leases = leases
        health.refusals = refusals
        return health
    }

    /// When `tick` is due.
    var nextWake: Instant {
        var due = pending.first?.deadline ?? .never
        for entry in entries.values {
            if case .idle(let since, let checkAt) = entry.state {
                due = min(due, checkAt, entry.expires)
                if entries.count > limits.minimum { due = min(due, since + limits.idleTimeout) }
            }
        }
        if needsConnection { due = min(due, nextAttempt) }
        return due
    }

    // MARK: Events

    mutating func start(at now: Instant) -> [Action] { open(at: now) }

    /// Somebody wants a connection. The answer is among the actions, now or after a later event.
    mutating func request(_ request: Request, at now: Instant) -> [Action] {
        if isClosed { return refuse(request, .closed) }
        if let connection = idle.popLast() { return lease(connection, to: request) }
        if isDown { return refuse(request, .unavailable) }
        guard pending.count < limits.maximumWaiting else { return refuse(request, .exhausted) }
        pending.append(Pending(request: request, deadline: now + limits.waitTimeout))
        return open(at: now)
    }

    /// Whoever waited has left. A connection it had already been given comes back.
    mutating func withdraw(_ request: Request, at now: Instant) -> [Action] {
        pending.removeAll { $0.request == request }
        let given = entries.first { $0.value.state == .leased(request) }
        guard let given else { return [] }
        return returned(given.key, isUsable: true, at: now)
    }

    mutating func opened(_ connection: Connection, at now: Instant) -> [Action] {
        guard entries[connection]?.state == .opening else { return [.close(connection)] }
        if isClosed {
            entries[connection] = nil
            return [.close(connection)]
        }
        if isDown { since = now }
        isDown = false
        attempt = 0
        nextAttempt = now
        let tenth = limits.maximumLifetime.nanoseconds / 10
        entries[connection]?.expires =
            now + limits.maximumLifetime + .nanoseconds(Int64.random(in: -tenth...tenth, using: &random))
        return pass(connection, at: now) + open(at: now)
    }

    mutating func openingFailed(_ connection: Connection, _ failure: OpeningFailure, at now: Instant)
        -> [Action]
    {
        guard entries[connection]?.state == .opening else { return [] }
        entries[connection] = nil
        failures += 1
        attempt += 1
        let doubled = limits.firstProbePause.nanoseconds << Int64(min(attempt - 1, 20))
        let longest = min(doubled, limits.longestProbePause.nanoseconds)
        // Between half and all of it, so that many processes do not come back in step.
        nextAttempt = now + .nanoseconds(Int64.random(in: longest / 2...longest, using: &random))
        // A full server still serves those who wait, with the sessions that are open.
        let isServing = entries.values.contains { $0.state != .opening }
        if failure == .saturated, isServing { return [] }
        if !isDown { since = now }
        isDown = true
        return refuseAll(.unavailable)
    }

    /// The lease is over. A connection that is not usable is gone already.
    mutating func returned(_ connection: Connection, isUsable: Bool, at now: Instant) -> [Action] {
        guard case .leased = entries[connection]?.state else { return [] }
        if !isUsable { return drop(connection, at: now) }
        guard let entry = entries[connection], !isClosed, entry.expires > now else {
            return [.close(connection)] + drop(connection, at: now)
        }
        return pass(connection, at: now)
    }

    mutating func checked(_ connection: Connection, isUsable: Bool, at now: Instant) -> [Action] {
        guard case .checking(let idleSince) = entries[connection]?.state else { return [] }
        if !isUsable { return drop(connection, at: now) }
        return pass(connection, idleSince: idleSince, at: now)
    }

    /// The connection broke. One that is lent or being checked stays counted until its user brings it back.
    mutating func lost(_ connection: Connection, at now: Instant) -> [Action] {
        guard case .idle = entries[connection]?.state else { return [] }
        return drop(connection, at: now)
    }

    private mutating func drop(_ connection: Connection, at now: Instant) -> [Action] {
        entries[connection] = nil
        idle.removeAll { $0 == connection }
        return open(at: now)
    }

    /// Time has passed: somebody waited too long, something is to be checked, closed or tried again.
    mutating func tick(at now: Instant) -> [Action] {
        var actions: [Action] = []
        while let first = pending.first, first.deadline <= now {
            pending.removeFirst()
            actions += refuse(first.request, .exhausted)
        }
        // The one that has been idle longest comes first.
        for connection in idle {
            guard let entry = entries[connection], case .idle(let since, let checkAt) = entry.state else {
                continue
            }
            let isSuperfluous = entries.count > limits.minimum && since + limits.idleTimeout <= now
            if entry.expires <= now || isSuperfluous {
                idle.removeAll { $0 == connection }
                entries[connection] = nil
                actions.append(.close(connection))
            } else if checkAt <= now {
                idle.removeAll { $0 == connection }
                entries[connection]?.state = .checking(idleSince: since)
                actions.append(.check(connection))
            }
        }
        return actions + open(at: now)
    }

    /// No more leases. Connections in use are closed as they come back.
    mutating func close() -> [Action] {
        isClosed = true
        let actions = refuseAll(.closed) + idle.map { Action.close($0) }
        for connection in idle { entries[connection] = nil }
        idle = []
        return actions
    }

    // MARK: Rules

    private var openingCount: Int { entries.values.count { $0.state == .opening } }

    private var needsConnection: Bool {
        if isClosed || entries.count >= limits.maximum { return false }
        let opening = openingCount
        // While the database is down, one attempt at a time finds out when it is back.
        if isDown { return opening == 0 }
        return opening < pending.count || entries.count < limits.minimum
    }

    private mutating func open(at now: Instant) -> [Action] {
        var actions: [Action] = []
        while needsConnection, nextAttempt <= now {
            let connection = nextConnection
            nextConnection += 1
            entries[connection] = Entry(state: .opening)
            actions.append(.open(connection))
        }
        return actions
    }

    /// To who waits longest, else to rest.
    private mutating func pass(_ connection: Connection, idleSince: Instant? = nil, at now: Instant)
        -> [Action]
    {
        if isClosed {
            entries[connection] = nil
            return [.close(connection)]
        }
        if !pending.isEmpty { return lease(connection, to: pending.removeFirst().request) }
        entries[connection]?.state = .idle(since: idleSince ?? now, checkAt: now + limits.checkInterval)
        idle.append(connection)
        return []
    }

    private mutating func lease(_ connection: Connection, to request: Request) -> [Action] {
        leases += 1
        entries[connection]?.state = .leased(request)
        return [.lease(connection, to: request)]
    }

    private mutating func refuse(_ request: Request, _ refusal: Refusal) -> [Action] {
        refusals += 1
        return [.refuse(request, refusal)]
    }

    private mutating func refuseAll(_ refusal: Refusal) -> [Action] {
        defer { pending = [] }
        return pending.flatMap { refuse($0.request, refusal) }
    }
}
