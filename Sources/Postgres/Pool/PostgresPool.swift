package import Base
package import Loop

/// The connections of one loop to one database.
///
/// A task borrows one for the time of a closure. When all are in use it waits its turn; when the database is
/// down it is told at once, and the pool finds out by itself when it is back.
// Confined to its loop.
package final class PostgresPool: @unchecked Sendable {
    /// While the database is down, an attempt to reach it must not hold up the next.
    private static let probeTimeout = Duration.seconds(1)

    package let loop: EventLoop
    private let configuration: PostgresConfiguration
    private var machine: PoolMachine
    private var connections: [PoolMachine.Connection: PostgresConnection] = [:]
    private var seats: [PoolMachine.Request: Seat] = [:]
    private var nextRequest = 0
    private var timer: (token: TimerToken, at: Instant)?
    private var lastFailure: PostgresError?
    private let emptied: Waiter

    /// Called with each new connection before anybody uses it.
    package var onOpen: ((PostgresConnection) -> Void)?
    /// Called with each failure to connect, for the log.
    package var onFailure: ((PostgresError) -> Void)?

    /// One task's place in the queue.
    private final class Seat {
        let waiter: Waiter
        var answer: Result<PoolMachine.Connection, PostgresError>?
        init(_ loop: EventLoop) { waiter = Waiter(loop) }
    }

    /// Call it on the loop.
    package init(
        _ configuration: PostgresConfiguration, limits: PoolLimits = PoolLimits(), on loop: EventLoop
    ) {
        self.configuration = configuration
        self.loop = loop
        machine = PoolMachine(limits: limits, seed: .random(in: .min ... .max), at: .now())
        emptied = Waiter(loop)
        act(machine.start(at: .now()))
    }

    deinit {
        if let timer { loop.cancel(timer.token) }
        for connection in connections.values { connection.close() }
    }

    package var health: PoolHealth { machine.health }

    // MARK: Use

    /// Lends a connection to `body`. It must not be kept beyond that.
    @discardableResult
    package func withConnection<Value>(
        _ body: (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        let (identifier, connection) = try await borrow()
        defer { giveBack(identifier, connection) }
        return try await body(connection)
    }

    /// Runs `body` in a transaction of its own; see `PostgresConnection.transaction`.
    @discardableResult
    package func transaction<Value>(
        tenant: UUID? = nil, isolation: PostgresTransaction.Isolation = .readCommitted,
        readOnly: Bool = false,
        _ body: (PostgresTransaction) async throws -> Value
    ) async throws -> Value {
        try await withConnection {
            try await $0.transaction(tenant: tenant, isolation: isolation, readOnly: readOnly, body)
        }
    }

    /// Runs one statement by itself.
    package func query(_ sql: SQL, timeout: Duration? = nil) async throws(PostgresError) -> PostgresRows {
        let (identifier, connection) = try await borrow()
        defer { giveBack(identifier, connection) }
        return try await connection.query(sql, timeout: timeout)
    }

    package func query<Statement: PostgresStatement>(
        _ statement: Statement, timeout: Duration? = nil
    ) async throws(PostgresError) -> [Statement.Row] {
        try await query(statement.sql, timeout: timeout).decode(Statement.decode)
    }

    /// Runs one statement by itself and says how many rows it touched.
    @discardableResult
    package func execute(_ sql: SQL, timeout: Duration? = nil) async throws(PostgresError) -> Int {
        try await query(sql, timeout: timeout).affectedRows
    }

    /// Lends nothing more, and waits until `deadline` for what is lent; then closes that too.
    package func close(until deadline: Instant) async {
        act(machine.close())
        while !connections.isEmpty {
            do {
                try await emptied.wait(until: deadline)
            } catch {
                break
            }
        }
        for (identifier, connection) in connections {
            connections[identifier] = nil
            connection.close()
        }
    }

    // MARK: Borrowing

    private func borrow() async throws(PostgresError) -> (PoolMachine.Connection, PostgresConnection) {
        precondition(loop.isCurrent, "a pool belongs to its loop")
        // Each connection may break between being given and being taken; nothing has been sent on it then.
        for _ in 0...machine.limits.maximum {
            let identifier = try await lease()
            if let connection = connections[identifier], connection.isOpen { return (identifier, connection) }
            connections[identifier] = nil
            act(machine.returned(identifier, isUsable: false, at: .now()))
        }
        throw PostgresError(.unavailable, "the connections break as soon as they are opened")
    }

    private func lease() async throws(PostgresError) -> PoolMachine.Connection {
        nextRequest += 1
        let request = nextRequest
        let seat = Seat(loop)
        seats[request] = seat
        act(machine.request(request, at: .now()))
        while true {
            if let answer = seat.answer { return try answer.get() }
            do throws(WaitFailure) {
                try await seat.waiter.wait()
            } catch {
                seats[request] = nil
                act(machine.withdraw(request, at: .now()))
                throw PostgresError(.cancelled, "cancelled while waiting for a connection")
            }
        }
    }

    private func giveBack(_ identifier: PoolMachine.Connection, _ connection: PostgresConnection) {
        if connection.isClean || !connection.isOpen {
            if !connection.isOpen { connections[identifier] = nil }
            act(machine.returned(identifier, isUsable: connection.isOpen, at: .now()))
        } else {
            loop.spawn { [self] in
                let isUsable = await connection.settle()
                if !isUsable { connections[identifier] = nil }
                act(machine.returned(identifier, isUsable: isUsable, at: .now()))
            }
        }
    }

    // MARK: Acting

    private func act(_ actions: [PoolMachine.Action]) {
        for action in actions {
            switch action {
            case .open(let identifier): loop.spawn { [self] in await open(identifier) }
            case .lease(let identifier, let request): answer(request, .success(identifier))
            case .refuse(let request, let refusal): answer(request, .failure(error(for: refusal)))
            case .check(let identifier): loop.spawn { [self] in await check(identifier) }
            case .close(let identifier): connections.removeValue(forKey: identifier)?.close()
            }
        }
        if connections.isEmpty { emptied.wake() }
        setTimer()
    }

    private func answer(
        _ request: PoolMachine.Request, _ answer: Result<PoolMachine.Connection, PostgresError>
    ) {
        guard let seat = seats.removeValue(forKey: request) else { return }
        seat.answer = answer
        seat.waiter.wake()
    }

    private func error(for refusal: PoolMachine.Refusal) -> PostgresError {
        switch refusal {
        case .exhausted:
            PostgresError(.poolExhausted, "no connection became free within \(machine.limits.waitTimeout)")
        case .unavailable:
            PostgresError(
                .unavailable, "the database cannot be reached: \(lastFailure?.details.message ?? "")")
        case .closed: PostgresError(.poolClosed, "the pool is closed")
        }
    }

    private func open(_ identifier: PoolMachine.Connection) async {
        var configuration = configuration
        if machine.isDown {
            configuration.connectTimeout = min(configuration.connectTimeout, Self.probeTimeout)
        }
        do throws(PostgresError) {
            let connection = try await PostgresConnection.connect(configuration, on: loop)
            connection.onLoss = { [weak self] _ in self?.lost(identifier) }
            connections[identifier] = connection
            onOpen?(connection)
            act(machine.opened(identifier, at: .now()))
        } catch {
            lastFailure = error
            onFailure?(error)
            let isSaturated = error.kind == .tooManyConnections
            act(machine.openingFailed(identifier, isSaturated ? .saturated : .unreachable, at: .now()))
        }
    }

    /// An idle connection is gone at once; the user of a lent one finds out by itself and brings it back.
    private func lost(_ identifier: PoolMachine.Connection) {
        connections[identifier] = nil
        act(machine.lost(identifier, at: .now()))
    }

    private func check(_ identifier: PoolMachine.Connection) async {
        guard let connection = connections[identifier] else {
            return act(machine.checked(identifier, isUsable: false, at: .now()))
        }
        var isUsable = false
        do throws(PostgresError) {
            _ = try await connection.query("SELECT 1", timeout: PostgresConnection.settleLimit)
            isUsable = connection.isClean
        } catch {
            lastFailure = error
        }
        if !isUsable { connections.removeValue(forKey: identifier)?.close() }
        act(machine.checked(identifier, isUsable: isUsable, at: .now()))
    }

    private func setTimer() {
        let due = machine.nextWake
        guard due != .never else { return }
        if let timer {
            // One that fires early only sets the next.
            if timer.at <= due { return }
            loop.cancel(timer.token)
        }
        let token = loop.schedule(at: due) { [weak self] in
            guard let self else { return }
            timer = nil
            act(machine.tick(at: .now()))
        }
        timer = (token, due)
    }
}
