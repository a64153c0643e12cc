import Base
import HTTPWire
import Loop

/// One connection: a thin shell around its machine. A single task reads requests, runs their handlers in
/// order and writes; readiness wakes it, the end of the tick flushes it. Only a request whose route has a beginning does
/// not wake it before that has said that there is a rest.
// Confined to its loop.
final class Connection: @unchecked Sendable {
    let shared: ServerLoop
    let peer: IPAddress?
    let transport: any Transport
    var machine: ConnectionMachine
    /// Wakes the task when bytes, the end or a decision of ours came.
    let arrived: Waiter

    /// Bytes that came and belong to nobody yet, from `inputStart` on.
    var input: [UInt8] = []
    var inputStart = 0
    var parser: RequestHeadParser
    /// What was made of the last head.
    var headNotes: AnyObject?
    /// Where the last head leads.
    var match = Router.Match.notFound
    var bodyReader = BodyReader()
    /// Whether a read may give something.
    var canRead = false

    var output = OutputQueue()
    var isFlushScheduled = false
    /// Whether the socket took all it was given last.
    var canWrite = true
    var lastProgress = Instant.never
    var stallTimer: TimerToken?
    /// Writers above the high water mark.
    var blockedWriters: [Waiter] = []

    /// Whether bytes can still be moved.
    var isOpen = true
    var task: Task<Void, Never>?
    /// Where the handler has a task of its own.
    private var handling: DeepTask?
    /// The exchange in the handler's hands.
    var exchange: Exchange?
    /// Whether its route's beginning has it, while the task waits.
    private var isBegun = false
    /// Whether the task waits for that to end, and for nothing else.
    private var isEndAwaited = false
    /// What the task is to go on with.
    var handedOver: Request?
    private var requestsInARow = 0

    init(_ transport: any Transport, peer: IPAddress?, on shared: ServerLoop) {
        self.shared = shared
        self.transport = transport
        self.peer = peer
        arrived = Waiter(shared.loop)
        machine = ConnectionMachine(limits: shared.configuration.limits, at: shared.loop.now)
        parser = RequestHeadParser(limits: shared.configuration.limits.head)
    }

    var limits: HTTPServerLimits { shared.configuration.limits }

    /// Begins to serve. The connection removes itself when it has ended.
    func start() {
        shared.add(self)
        do throws(SystemError) {
            try transport.start { [unowned self] in ready($0) }
        } catch {
            shared.configuration.onFailure?(error)
            end(reset: true)
            return
        }
        task = shared.loop.spawn { [self] in await run() }
    }

    // MARK: Events

    private func ready(_ readiness: Readiness) {
        if !canWrite, readiness.canWrite {
            canWrite = true
            flush()
        }
        if readiness.hasPeerLeft { peerLeft() }
        if readiness.hasPeerLeft || readiness.canRead {
            canRead = true
            // What comes behind a request that is begun is read when that has ended.
            if arrived.isWaiting, !isBegun { readAhead() }
        }
    }

    private func peerLeft() {
        guard !machine.peerHasLeft else { return }
        guard machine.peerLeft() == .cancel, !isBegun else { return }
        if exchange?.goesOnAlone?() ?? false { return }
        cancel()
    }

    /// Whoever works for this connection is to stop.
    func cancel() {
        task?.cancel()
        handling?.cancel()
    }

    /// Runs a handler, in another task where it goes deep.
    func run(_ handler: @escaping Handler, of route: Route, _ exchange: Exchange) async throws {
        guard route.metadata.goesDeep else { return try await handler(exchange) }
        let handling = shared.takeDeepTask()
        self.handling = handling
        try await handling.run(handler, exchange, for: self)
    }

    /// The task goes to another connection's handler, and is not to be cancelled for this one any more.
    func handlerEnded(in task: DeepTask, isReusable: Bool) {
        handling = nil
        if isReusable { shared.giveBack(task) }
    }

    /// The server drains: an idle connection ends, another one after its exchange.
    func drain() {
        if machine.drain() == .close { arrived.wake() } else { exchange?.drain() }
    }

    // MARK: The task

    private func run() async {
        while let request = await nextRequest() {
            await serve(request)
            guard machine.isIdle, isOpen else { break }
            requestsInARow += 1
            if requestsInARow >= limits.pipelineBurst {
                requestsInARow = 0
                await Task.yield()
            }
        }
        await finish()
    }

    private func waitForReader() async {
        do {
            try await waitUntilSendable()
        } catch {
            // The connection is gone, or its task cancelled: the next read finds that out.
            return
        }
    }

    /// The next request; `nil` when there is to be none.
    private func nextRequest() async -> Request? {
        // Who asks on without reading the answers must wait.
        if output.count > limits.unsentHighWater { await waitForReader() }
        if inputStart == input.count { releaseInput() }
        while isOpen {
            if let request = handedOver {
                handedOver = nil
                return request
            }
            if !isBegun {
                if case .ending = machine.phase { return nil }
                if inputStart < input.count, machine.isIdle {
                    machine.bytesArrived(at: shared.loop.now)
                    if let outcome = take(parseInput()) { return outcome.head.map(open) }
                }
                if canRead, let outcome = readHead() { return outcome.head.map(open) }
                if canRead { continue }
            }
            requestsInARow = 0
            isEndAwaited = isBegun
            do throws(WaitFailure) {
                try await arrived.wait(until: isBegun ? .never : machine.deadline)
            } catch .timedOut {
                // Another request may have come, and been answered, since.
                if isBegun || machine.deadline > shared.loop.now { continue }
                if machine.deadlinePassed() == .refuse {
                    refuse(408, code: "request_timeout", "The request's head did not come in time.")
                }
                return nil
            } catch {
                return nil
            }
        }
        return nil
    }

    /// Reads what has come while the task waits for a request. The task goes on waiting as long as the route's beginning
    /// can do without it.
    private func readAhead() {
        guard machine.isIdle, inputStart == input.count, output.count <= limits.unsentHighWater,
            let outcome = readHead(), let head = outcome.head
        else { return arrived.wake() }
        let request = open(head)
        guard case .success(.some(let route)) = request.route, let beginning = route.beginning else {
            handedOver = request
            return arrived.wake()
        }
        isBegun = true
        beginning(request.exchange)
    }

    /// The beginning of `exchange` has ended.
    func begun(_ exchange: Exchange, leaving rest: Handler?) {
        precondition(isBegun, "a beginning ends once")
        isBegun = false
        if let rest, isOpen {
            handedOver = Request(exchange: exchange, route: .success(exchange.route), rest: rest)
        } else {
            conclude(exchange)
        }
        // The answer is written without the task.
        let isDone = handedOver == nil && !canRead && inputStart == input.count && machine.isIdle
        if isDone { releaseInput() }
        if !isDone || isEndAwaited { arrived.wake() }
    }

    /// A head, or the end of all heads.
    private struct HeadOutcome { var head: RequestHead? }

    /// Reads once; `nil` while the head is not whole.
    private func readHead() -> HeadOutcome? {
        switch transport.read(into: shared.scratch) {
        case .bytes(let count):
            noteRead(count)
            machine.bytesArrived(at: shared.loop.now)
            if inputStart < input.count {
                input.append(UnsafeRawBufferPointer(rebasing: shared.scratch[..<count]))
                return take(parseInput())
            }
            return parseScratch(count)
        case .wouldBlock:
            canRead = false
            return nil
        case .end, .failed:
            end(reset: false)
            return HeadOutcome(head: nil)
        }
    }

    /// A short read has emptied the socket, unless its end is still to be read.
    @inline(__always)
    func noteRead(_ count: Int) { canRead = count == shared.scratch.count || machine.peerHasLeft }

    /// Parses in place; only what is left over is copied.
    @inline(__always)
    private func parseScratch(_ count: Int) -> HeadOutcome? {
        let bytes = UnsafeRawBufferPointer(rebasing: shared.scratch[..<count])
        let progress = parser.parse(bytes)
        let used = if case .head(_, let consumed) = progress { consumed } else { 0 }
        if used < count {
            if input.capacity == 0 { input = shared.takeBuffer() }
            input.append(UnsafeRawBufferPointer(rebasing: bytes[used...]))
        }
        switch progress {
        case .head(let head, _): return HeadOutcome(head: head)
        default: return take(progress)
        }
    }

    private func parseInput() -> RequestHeadProgress {
        let progress = input.withUnsafeBytes {
            parser.parse(UnsafeRawBufferPointer(rebasing: $0[inputStart...]))
        }
        if case .head(_, let consumed) = progress { inputStart += consumed }
        return progress
    }

    private func take(_ progress: RequestHeadProgress) -> HeadOutcome? {
        switch progress {
        case .needMore: return nil
        case .head(let head, _): return HeadOutcome(head: head)
        case .fault(let fault):
            refuse(fault.status, code: "bad_request", fault.reason.description)
            return HeadOutcome(head: nil)
        }
    }

    /// Gives an empty input's memory away.
    func releaseInput() {
        inputStart = 0
        if input.capacity == 0 { return }
        var buffer: [UInt8] = []
        swap(&buffer, &input)
        buffer.removeAll(keepingCapacity: true)
        shared.giveBack(buffer)
    }

    /// Answers a request whose head cannot be read, or does not come.
    private func refuse(_ status: Int, code: String, _ message: String) {
        machine.headRefused()
        let body = ProblemBody.bytes(code: code, message: message)
        let plan = ConnectionMachine.ResponsePlan(
            framing: .length(body.count), connection: .close, sendsBody: true)
        appendHead(status, ["Content-Type": "application/json"], plan)
        append(body)
        shared.configuration.onFinish?(
            ExchangeRecord(
                exchange: nil, status: status, bytesIn: 0, bytesOut: body.count,
                duration: .zero, aborted: false))
    }
}
