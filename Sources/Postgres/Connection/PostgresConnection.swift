import Base
import CPostgres
import Glibc
package import Loop

/// One session with the server, in pipeline mode: statements of one tick leave in one go, answers come in
/// order.
///
/// Several tasks of the loop may use it at once; transactions belong to one. Whoever changes the session's
/// state (LISTEN, session settings, temporary tables) calls `discardAfterUse()`, so that the pool does not
/// pass it on.
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
    var registration: Registration?
    var wantsWrite = false

    var queued: [Exchange] = []
    var inFlight: [Exchange] = []
    var isFlushScheduled = false
    private var nextNumber = 0
    var cache = StatementCache(limit: PostgresConnection.statementCacheLimit)

    var isCancelling = false
    private var isUnfit = false
    private let quiet: Waiter
    /// A task that feeds a COPY waits here for room.
    let writable: Waiter
    let notices: NoticeBox
    /// Why the server ended the session, if it said so.
    var farewell: PostgresError?
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
                .cancelled, "the task was cancelled", statement: exchange.text(of: 0),
                mayHaveExecuted: wasSent)
            : PostgresError(
                .deadlineExceeded, "no answer in time", statement: exchange.text(of: 0),
                mayHaveExecuted: wasSent)
    }

    /// Brings the connection back to where the next user may have it: waits for what is under way, rolls
    /// back. Says whether it succeeded; where not, the connection is closed.
    func settle() async -> Bool {
        let deadline = Instant.now() + Self.settleLimit
        do {
            while isOpen, !isQuiet { try await quiet.wait(until: deadline) }
            if isInTransaction {
                let rollback = try enqueue(.statements([.control("ROLLBACK")]))
                while !rollback.isDone { try await rollback.waiter.wait(until: deadline) }
            }
        } catch {
            close()
        }
        if !isClean { close() }
        return isOpen
    }

    func wakeIfQuiet() {
        if isQuiet { quiet.wake() }
    }

    // MARK: Cancelling and losing

    /// Asks the server to end what it does for us, if nobody waits for any of it.
    func cancelOnServer() {
        guard let handle, !isCancelling, !inFlight.isEmpty, inFlight.allSatisfy(\.isAbandoned) else { return }
        guard let request = CancelRequest(handle) else { return }
        isCancelling = true
        let started = BlockingCall.start(
            for: self, on: loop, work: { request.send() },
            finish: { connection, _ in connection.cancelFinished() })
        // Without a thread to send from, the statement runs to its timeout on the server.
        if !started { isCancelling = false }
    }

    private func cancelFinished() {
        isCancelling = false
        if !queued.isEmpty { scheduleFlush() }
        wakeIfQuiet()
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
            var failure = PostgresError(
                .connectionLost, reason.details.message, statement: exchange.text(of: 0))
            failure.mayHaveExecuted = true
            exchange.isCopyOpen = false
            exchange.fail(failure)
            exchange.finish()
        }
        for exchange in unsent {
            exchange.fail(
                PostgresError(.connectionLost, reason.details.message, statement: exchange.text(of: 0)))
            exchange.finish()
        }
        writable.wake()
        quiet.wake()
        let onLoss = onLoss
        self.onLoss = nil
        onLoss?(reason)
    }
}
