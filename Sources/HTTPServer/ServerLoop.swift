import Base
import HTTPWire
import Loop

/// What the connections of one loop share.
// Confined to its loop.
final class ServerLoop: @unchecked Sendable {
    /// The most that one read takes.
    static let readBytes = 64 * 1024
    /// Buffers kept for the next response.
    private static let spareBuffers = 64
    /// Tasks kept for the next handlers; each is some 20 KB.
    private static let spareTasks = 64
    /// A larger buffer is given back to the allocator.
    private static let largestSpareBytes = 64 * 1024

    let loop: EventLoop
    let configuration: HTTPServerConfiguration
    let counter: ConnectionCounter
    /// What came last; valid until the next read on this loop.
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: readBytes, alignment: 16)

    private(set) var connections: [ObjectIdentifier: Connection] = [:]
    private var waitingForEmpty: [Waiter] = []
    private var unflushed: [Connection] = []
    private var flushing: [Connection] = []
    private var buffers: [[UInt8]] = []
    private var deepTasks: [DeepTask] = []
    private var headWriter = ResponseHeadWriter()
    private var timestamp = Timestamp(microseconds: 0)
    private var timestampTick = Instant.never
    private var numbers = UniqueNumbers()

    init(_ loop: EventLoop, _ configuration: HTTPServerConfiguration, _ counter: ConnectionCounter) {
        self.loop = loop
        self.configuration = configuration
        self.counter = counter
    }

    deinit {
        for task in deepTasks { task.cancel() }
        scratch.deallocate()
    }

    // MARK: Connections

    func add(_ connection: Connection) { connections[ObjectIdentifier(connection)] = connection }

    func remove(_ connection: Connection) {
        connections[ObjectIdentifier(connection)] = nil
        if connections.isEmpty { for waiter in waitingForEmpty { waiter.wake() } }
    }

    /// Waits until no connection is left; false when `deadline` came first.
    func waitUntilEmpty(until deadline: Instant) async -> Bool {
        let waiter = Waiter(loop)
        waitingForEmpty.append(waiter)
        defer { waitingForEmpty.removeAll { $0 === waiter } }
        while !connections.isEmpty {
            do throws(WaitFailure) {
                try await waiter.wait(until: deadline)
            } catch {
                return false
            }
        }
        return true
    }

    // MARK: Tasks

    func takeDeepTask() -> DeepTask { deepTasks.popLast() ?? DeepTask(on: loop) }

    func giveBack(_ task: DeepTask) {
        if deepTasks.count < Self.spareTasks { deepTasks.append(task) } else { task.cancel() }
    }

    // MARK: Output

    /// Sends what `connection` has at the end of this tick, together with whatever is added until then.
    @inline(__always)
    func flushAtTickEnd(_ connection: Connection) {
        if unflushed.isEmpty { loop.atTickEnd { [self] in flushAll() } }
        unflushed.append(connection)
    }

    private func flushAll() {
        swap(&unflushed, &flushing)
        for connection in flushing { connection.flush() }
        flushing.removeAll(keepingCapacity: true)
    }

    func takeBuffer() -> [UInt8] { buffers.popLast() ?? [] }

    func giveBack(_ buffer: consuming [UInt8]) {
        if buffer.capacity > 0, buffer.capacity <= Self.largestSpareBytes, buffers.count < Self.spareBuffers {
            buffers.append(buffer)
        }
    }

    /// Appends the head of a response with the date of this tick.
    @inline(__always)
    func appendHead(
        status: Int, _ fields: HTTPFields, _ others: HTTPFields, _ plan: ConnectionMachine.ResponsePlan,
        to output: inout [UInt8]
    ) throws(HTTPFields.FieldFault) {
        if timestampTick != loop.now {
            timestampTick = loop.now
            timestamp = configuration.time.timestamp()
        }
        try headWriter.append(
            status: status, fields: fields, others: others, framing: plan.framing,
            connection: plan.connection, at: timestamp, to: &output)
    }

    func nextIdentifier() -> RequestIdentifier { RequestIdentifier(numbers.next()) }
}
