package import Base
package import Loop

/// One end of a pipe in memory, both ends on one loop: for tests of whatever speaks over a `Transport`.
// Confined to its loop.
package final class MemoryTransport: Transport, @unchecked Sendable {
    /// What one end may write before the other has read, as a socket's buffers would.
    package let capacity: Int
    private let loop: EventLoop
    private weak var peer: MemoryTransport?
    private var received: [UInt8] = []
    private var handler: ((Readiness) -> Void)?
    private var pending: Readiness = []
    private var isReportScheduled = false
    private var hasEnded = false
    private var isBroken = false
    private var isClosed = false

    /// Two ends that belong together. Each keeps the other only weakly.
    package static func pair(on loop: EventLoop, capacity: Int = 64 * 1024) -> (
        MemoryTransport, MemoryTransport
    ) {
        let first = MemoryTransport(loop, capacity)
        let second = MemoryTransport(loop, capacity)
        first.peer = second
        second.peer = first
        return (first, second)
    }

    private init(_ loop: EventLoop, _ capacity: Int) {
        self.loop = loop
        self.capacity = capacity
    }

    deinit { peer?.end(broken: false) }

    package func start(_ handler: @escaping (Readiness) -> Void) throws(SystemError) {
        self.handler = handler
        report(received.isEmpty ? .write : [.read, .write])
    }

    package func read(into buffer: UnsafeMutableRawBufferPointer) -> Socket.Outcome {
        if isClosed { return .end }
        if received.isEmpty {
            if isBroken { return .failed(104) }
            return hasEnded ? .end : .wouldBlock
        }
        let count = min(buffer.count, received.count)
        buffer.copyBytes(from: received[..<count])
        let wasFull = received.count >= capacity
        received.removeFirst(count)
        if wasFull { peer?.report(.write) }
        return .bytes(count)
    }

    package func write(_ bytes: UnsafeRawBufferPointer, more: Bool) -> Socket.Outcome {
        guard !isClosed, !isBroken, let peer, !peer.isClosed else { return .failed(32) }
        let count = min(bytes.count, peer.capacity - peer.received.count)
        guard count > 0 else { return .wouldBlock }
        peer.received.append(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
        peer.report(.read)
        return .bytes(count)
    }

    package func shutdownWrite() { peer?.end(broken: false) }

    package func close() {
        if isClosed { return }
        isClosed = true
        handler = nil
        peer?.end(broken: !received.isEmpty)
    }

    package func reset() {
        if isClosed { return }
        isClosed = true
        handler = nil
        peer?.end(broken: true)
    }

    private func end(broken: Bool) {
        hasEnded = true
        isBroken = isBroken || broken
        report(broken ? [.read, .peerClosed, .error] : [.read, .peerClosed])
    }

    /// Reports in the next tick, as a kernel would: never from inside a call.
    private func report(_ readiness: Readiness) {
        pending.formUnion(readiness)
        guard !isReportScheduled, handler != nil else { return }
        isReportScheduled = true
        loop.execute { [weak self] in
            guard let self else { return }
            isReportScheduled = false
            let taken = pending
            pending = []
            handler?(taken)
        }
    }
}
