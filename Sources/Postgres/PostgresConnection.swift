import Base
import CPostgres
import Glibc
package import Loop

/// One session with the server, in pipeline mode: statements of one tick leave in one go, answers come in order.
///
/// Several tasks of the loop may use it at once; transactions belong to one. Whoever changes the session's state
/// (LISTEN, session settings, temporary tables) calls `discardAfterUse()`, so that the pool does not pass it on.
// Confined to its loop.
package final class PostgresConnection: @unchecked Sendable {
    /// Exchanges that may wait on one connection, sent or not.
    package static let maximumWaiting = 1024
    /// Prepared statements kept by one connection.
    package static let statementCacheLimit = 256
    /// How long a connection may take to become usable again after its user left in the middle.
    package static let settleLimit = Duration.seconds(2)

    package let loop: EventLoop
    package let configuration: PostgresConfiguration
    /// The server's process of this session.
    package let processIdentifier: Int32

    /// Called once, when the connection is gone for whatever reason but `close()`.
    package var onLoss: ((PostgresError) -> Void)?
    package var onNotification: ((PostgresNotification) -> Void)?
    package var onNotice: ((PostgresNotice) -> Void)?

    /// `nil` once closed.
    private(set) var handle: OpaquePointer?
    private var registration: Registration?
    private var wantsWrite = false

    private var queued: [Exchange] = []
    private var inFlight: [Exchange] = []
    private var isFlushScheduled = false
    private var nextNumber = 0
    var cache = StatementCache(limit: PostgresConnection.statementCacheLimit)

    private var isCancelling = false
    private var isUnfit = false
    private let quiet: Waiter
    /// A task that feeds a COPY waits here for room.
    let writable: Waiter
    private let notices: NoticeBox
    /// Why the server ended the session, if it said so.
    private var farewell: PostgresError?
    private(set) var lossReason: PostgresError?

    /// Takes over an established connection. Call it on the loop.
    init(
        _ handle: OpaquePointer, _ configuration: PostgresConfiguration, on loop: EventLoop
    ) throws(PostgresError) {
        self.loop = loop
        self.handle = handle
        self.configuration = configuration
        processIdentifier = PQbackendPID(handle)
        quiet = Waiter(loop)
        writable = Waiter(loop)
        notices = NoticeBox()
        guard PQsetnonblocking(handle, 1) == 0, PQenterPipelineMode(handle) == 1 else {
            PQfinish(handle)
            self.handle = nil
            throw PostgresError(.protocolViolation, "libpq refuses pipeline mode")
        }
        notices.install(on: handle)
        do throws(SystemError) {
            registration = try loop.register(PQsocket(handle), .read) { [weak self] in self?.ready($0) }
        } catch {
            PQfinish(handle)
            self.handle = nil
            throw PostgresError(.unavailable, "\(error)")
        }
    }

    deinit {
        if let registration { loop.deregister(registration) }
        if let handle { PQfinish(handle) }
    }

    package var isOpen: Bool { handle != nil }

    /// Whether the next user finds it as new: nothing under way, no transaction.
    package var isClean: Bool {
        guard let handle, !isUnfit, isQuiet else { return false }
        return PQtransactionStatus(handle) == PQTRANS_IDLE
    }

    private var isQuiet: Bool { inFlight.isEmpty && queued.isEmpty && !isCancelling }

    var isInTransaction: Bool { handle.map { PQtransactionStatus($0) != PQTRANS_IDLE } ?? false }

    /// Marks the session as changed: the pool closes it instead of passing it on.
    package func discardAfterUse() { isUnfit = true }

    /// Ends the session. What waits fails as lost. Call it on the loop.
    package func close() {
        onLoss = nil
        lose(PostgresError(.connectionLost, "the connection was closed"))
    }

    // MARK: Waiting for answers

    /// Hands `work` to the server and waits for its end. A cancelled or timed-out wait returns at once; the
    /// statement is cancelled on the server behind it.
    func run(_ work: Exchange.Work, timeout: Duration?) async throws(PostgresError) -> Exchange {
        let exchange = try enqueue(work)
        try await wait(for: exchange, until: .now() + (timeout ?? configuration.queryTimeout))
        return exchange
    }

    func enqueue(_ work: Exchange.Work) throws(PostgresError) -> Exchange {
        guard handle != nil else {
            throw lossReason ?? PostgresError(.connectionLost, "the connection is closed")
        }
        if case .statements(let statements) = work {
            for statement in statements {
                if let fault = statement.bindings.fault {
                    throw PostgresError(.invalidParameter, fault, statement: statement.text)
                }
            }
        }
        guard queued.count + inFlight.count < Self.maximumWaiting else {
            throw PostgresError(.overloaded, "\(Self.maximumWaiting) statements wait on one connection")
        }
        nextNumber += 1
        let exchange = Exchange(work, number: nextNumber, on: loop)
        queued.append(exchange)
        scheduleFlush()
        return exchange
    }

    /// Waits for the end of `exchange`, whatever it is; throws only when the wait itself ends early.
    func wait(for exchange: Exchange, until deadline: Instant) async throws(PostgresError) {
        while !exchange.isDone {
            do throws(WaitFailure) {
                try await exchange.waiter.wait(until: deadline)
            } catch {
                if exchange.isDone { return }
                throw abandon(exchange, because: error)
            }
        }
    }

    func abandon(_ exchange: Exchange, because failure: WaitFailure) -> PostgresError {
        exchange.isAbandoned = true
        let wasSent = exchange.isSent
        if wasSent {
            cancelOnServer()
        } else {
            queued.removeAll { $0 === exchange }
            wakeIfQuiet()
        }
        return failure == .cancelled
            ? PostgresError(
                .cancelled, "the task was cancelled", statement: exchange.text(of: 0), mayHaveExecuted: wasSent)
            : PostgresError(
                .deadlineExceeded, "no answer in time", statement: exchange.text(of: 0), mayHaveExecuted: wasSent)
    }

    /// Brings the connection back to where the next user may have it: waits for what is under way, rolls back.
    /// Says whether it succeeded; where not, the connection is closed.
    func settle() async -> Bool {
        let deadline = Instant.now() + Self.settleLimit
        do {
            while isOpen, !isQuiet { try await quiet.wait(until: deadline) }
            if isInTransaction {
                let rollback = try enqueue(.statements(["ROLLBACK"]))
                while !rollback.isDone { try await rollback.waiter.wait(until: deadline) }
            }
        } catch {
            close()
        }
        if !isClean { close() }
        return isOpen
    }

    // MARK: Sending

    func scheduleFlush() {
        guard !isFlushScheduled else { return }
        isFlushScheduled = true
        loop.atTickEnd { [self] in
            isFlushScheduled = false
            flush()
        }
    }

    private func flush() {
        while let next = queued.first, mayStart(next), let handle {
            queued.removeFirst()
            inFlight.append(next)
            next.isSent = true
            guard start(next, on: handle) else {
                return lose(PostgresError(.connectionLost, PostgresError.trimmed(PQerrorMessage(handle))))
            }
        }
        push()
    }

    /// Nothing new is sent while a cancellation is under way: it would hit the newcomer.
    private func mayStart(_ exchange: Exchange) -> Bool {
        guard !wantsWrite, !isCancelling else { return false }
        guard let last = inFlight.last else { return true }
        return !exchange.isExclusive && !last.isExclusive
    }

    private func start(_ exchange: Exchange, on handle: OpaquePointer) -> Bool {
        switch exchange.work {
        case .statements(let statements):
            for (index, statement) in statements.enumerated() {
                guard send(statement, index, of: exchange, on: handle) else { return false }
            }
            return PQpipelineSync(handle) == 1
        case .script(let text), .copy(let text):
            return PQexitPipelineMode(handle) == 1 && PQsendQuery(handle, text) == 1
        }
    }

    private func send(_ statement: SQL, _ index: Int, of exchange: Exchange, on handle: OpaquePointer) -> Bool {
        let bindings = statement.bindings
        let key = StatementCache.Key(text: statement.text, types: bindings.types)
        let name: String
        switch cache.plan(key, segment: exchange.number) {
        case .use(let prepared): name = prepared
        case .unnamed:
            name = ""
            guard prepare(key, name, index, of: exchange, on: handle) else { return false }
        case .prepare(let fresh, let evicted):
            name = fresh
            for victim in evicted {
                exchange.steps.append(.deallocate(name: victim))
                guard PQsendQueryParams(handle, "DEALLOCATE \(victim)", 0, nil, nil, nil, nil, 1) == 1 else {
                    return false
                }
            }
            guard prepare(key, name, index, of: exchange, on: handle) else { return false }
        }
        exchange.steps.append(.execute(key, statement: index))
        return bindings.withPointers { values in
            PQsendQueryPrepared(
                handle, name, Int32(bindings.count), values, bindings.lengths, bindings.formats,
                PostgresFormat.binary.rawValue)
        } == 1
    }

    private func prepare(
        _ key: StatementCache.Key, _ name: String, _ index: Int, of exchange: Exchange, on handle: OpaquePointer
    ) -> Bool {
        exchange.steps.append(.prepare(key, isNamed: !name.isEmpty, statement: index))
        return PQsendPrepare(handle, name, key.text, Int32(key.types.count), key.types) == 1
    }

    /// Writes what libpq holds; asks for the socket's readiness where it does not take everything.
    @discardableResult
    func push() -> Bool {
        guard let handle else { return false }
        let outcome = PQflush(handle)
        guard outcome >= 0 else {
            // What the server said before it left may still be readable; the loss is noticed there.
            readAvailable()
            lose(PostgresError(.connectionLost, "the connection broke while sending"))
            return false
        }
        let wants = outcome == 1
        if wants != wantsWrite, let registration {
            wantsWrite = wants
            do throws(SystemError) {
                try loop.update(registration, wants ? [.read, .write] : .read)
            } catch {
                lose(PostgresError(.connectionLost, "\(error)"))
                return false
            }
        }
        return !wants
    }

    // MARK: Receiving

    private func ready(_ readiness: Readiness) {
        if readiness.contains(.write), push() {
            writable.wake()
            scheduleFlush()
        }
        if !readiness.isDisjoint(with: [.read, .error, .peerClosed]) { readAvailable() }
    }

    private func readAvailable() {
        guard let handle else { return }
        let isAlive = PQconsumeInput(handle) == 1
        let message = isAlive ? "" : PostgresError.trimmed(PQerrorMessage(handle))
        receive()
        deliverAsynchronous()
        if !isAlive { lose(PostgresError(.connectionLost, message)) }
        if !queued.isEmpty { scheduleFlush() }
    }

    private func receive() {
        while let handle, let exchange = inFlight.first {
            // In this state libpq gives the same result for ever, and the server is silent until the copy ends.
            if exchange.isCopyOpen { return }
            guard PQisBusy(handle) == 0 else { return }
            if let result = PQgetResult(handle) {
                take(result, for: exchange)
            } else if exchange.isExclusive {
                guard PQenterPipelineMode(handle) == 1 else {
                    return lose(PostgresError(.protocolViolation, "libpq does not go back to pipeline mode"))
                }
                finishFirst()
            } else {
                exchange.advance()
            }
        }
    }

    private func take(_ result: OpaquePointer, for exchange: Exchange) {
        let status = PQresultStatus(result)
        switch status {
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
            takeSuccess(PostgresRows(result), for: exchange)
            return
        case PGRES_PIPELINE_SYNC:
            PQclear(result)
            finishFirst()
            return
        case PGRES_COPY_IN where exchange.isExclusive:
            openCopy(exchange)
        case PGRES_PIPELINE_ABORTED:
            takeFailure(PostgresError(.skipped, "an earlier statement of the same pipeline failed"), for: exchange)
        case PGRES_FATAL_ERROR:
            let error = PostgresError(result: result, statement: statementText(of: exchange))
            if error.sqlState == nil {
                lose(error)
            } else {
                takeFailure(error, for: exchange)
            }
        default:
            lose(PostgresError(.protocolViolation, "an answer nobody asked for (COPY runs through copy(into:))"))
        }
        PQclear(result)
    }

    private func openCopy(_ exchange: Exchange) {
        if case .script = exchange.work {
            return lose(PostgresError(.protocolViolation, "a script must not COPY from standard input"))
        }
        exchange.isCopyOpen = true
        if exchange.isAbandoned {
            endCopy(exchange, because: "nobody waits for it")
        } else {
            exchange.waiter.wake()
        }
    }

    private func takeSuccess(_ rows: PostgresRows, for exchange: Exchange) {
        switch exchange.step {
        case .prepare(let key, let isNamed, _): if isNamed { cache.prepared(key) }
        case .deallocate: break
        case .execute, nil: exchange.append(rows)
        }
    }

    private func takeFailure(_ error: PostgresError, for exchange: Exchange) {
        exchange.fail(error)
        switch exchange.step {
        case .prepare(let key, let isNamed, _): if isNamed { cache.preparationFailed(key) }
        case .deallocate(let name): if error.sqlState != "26000" { cache.deallocationFailed(name) }
        case .execute(let key, _):
            if error.kind == .staleStatement { cache.forget(key, serverHasIt: error.sqlState != "26000") }
        case nil: break
        }
    }

    private func statementText(of exchange: Exchange) -> String? {
        switch exchange.step {
        case .prepare(_, _, let statement), .execute(_, let statement): exchange.text(of: statement)
        case .deallocate(let name): "DEALLOCATE \(name)"
        case nil: exchange.text(of: 0)
        }
    }

    private func finishFirst() {
        inFlight.removeFirst().finish()
        if let next = inFlight.first, next.isAbandoned { cancelOnServer() }
        if !queued.isEmpty { scheduleFlush() }
        wakeIfQuiet()
    }

    private func wakeIfQuiet() {
        if isQuiet { quiet.wake() }
    }

    /// Notifications and notices, after libpq has been left: a handler may do as it likes.
    private func deliverAsynchronous() {
        for notice in notices.take() {
            if notice.isFatal { farewell = notice.error }
            onNotice?(notice)
        }
        while let handle, let notification = PQnotifies(handle) {
            let value = PostgresNotification(notification.pointee)
            PQfreemem(notification)
            onNotification?(value)
        }
    }

    // MARK: Cancelling and losing

    /// Asks the server to end what it does for us, if nobody waits for any of it.
    private func cancelOnServer() {
        guard let handle, !isCancelling, !inFlight.isEmpty, inFlight.allSatisfy(\.isAbandoned) else { return }
        guard let request = CancelRequest(handle) else { return }
        isCancelling = true
        let started = BlockingCall.start(for: self, on: loop, { request.send() }) { connection, _ in
            connection.isCancelling = false
            if !connection.queued.isEmpty { connection.scheduleFlush() }
            connection.wakeIfQuiet()
        }
        // Without a thread to send from, the statement runs to its timeout on the server.
        if !started { isCancelling = false }
    }

    func lose(_ error: PostgresError) {
        guard let handle else { return }
        self.handle = nil
        if let registration { loop.deregister(registration) }
        registration = nil
        PQfinish(handle)
        let reason = farewell ?? error
        lossReason = reason
        let lost = inFlight
        let unsent = queued
        inFlight = []
        queued = []
        for exchange in lost {
            var failure = PostgresError(.connectionLost, reason.details.message, statement: exchange.text(of: 0))
            failure.mayHaveExecuted = true
            exchange.isCopyOpen = false
            exchange.fail(failure)
            exchange.finish()
        }
        for exchange in unsent {
            exchange.fail(PostgresError(.connectionLost, reason.details.message, statement: exchange.text(of: 0)))
            exchange.finish()
        }
        writable.wake()
        quiet.wake()
        let onLoss = onLoss
        self.onLoss = nil
        onLoss?(reason)
    }
}
